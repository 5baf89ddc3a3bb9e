import { once } from 'node:events'
import { join } from 'node:path'
import { messageOf } from '@tandemmq/base'
import { ApacheSystem, type ApacheSurroundings } from './apache-system.ts'
import { OurSystem } from './our-system.ts'
import type { Cell, Row } from './row.ts'
import type { Scenario } from './scenario.ts'
import { Stage } from './stage.ts'
import type { System } from './system.ts'

/** Only ends what hangs: a scenario takes 10 to 50 s. */
const DEADLINE_MS = 180_000

/** Plays a scenario for both systems at the same time. `directory`: where their stores and logs are left. */
export async function sideBySide(
  scenario: Scenario,
  directory: string,
  surroundings: ApacheSurroundings,
): Promise<Row> {
  const { name, done, asked } = scenario
  const startedAt = performance.now()
  const [apache, tandemmq] = await Promise.all([
    observe(scenario, join(directory, 'apache'), (stage) => new ApacheSystem(stage, name, surroundings)),
    observe(scenario, join(directory, 'tandemmq'), (stage) => new OurSystem(stage)),
  ])
  const seconds = Math.round((performance.now() - startedAt) / 1_000)
  return { scenario: name, done, asked, apache, tandemmq, seconds }
}

async function observe(
  scenario: Scenario,
  directory: string,
  systemOn: (stage: Stage) => System,
): Promise<Cell> {
  await using stage = new Stage(directory)
  const late = once(AbortSignal.timeout(DEADLINE_MS), 'abort').then(() => {
    throw new Error(`it took longer than ${DEADLINE_MS / 1_000} s`)
  })
  late.catch(() => undefined)
  try {
    return await Promise.race([scenario.observe(systemOn(stage)), late])
  } catch (failure) {
    return { failure: messageOf(failure) }
  }
}
