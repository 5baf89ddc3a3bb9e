import { once } from 'node:events'
import { join } from 'node:path'
import { messageOf } from '@tandemmq/base'
import { ApacheSystem, type ApacheSurroundings } from './apache-system.ts'
import { OurSystem } from './our-system.ts'
import type { Cell, Row } from './row.ts'
import type { Scenario } from './scenario.ts'
import { Stage } from './stage.ts'
import type { System } from './system.ts'

/** Only ends what hangs: a scenario takes 10 to 50 s, three times that where many share the machine. */
const DEADLINE_MS = 240_000

/**
 * Plays a scenario for both systems at the same time, and ends all that was started for it.
 * @param directory where their stores and logs are left
 * @param stopped ends it early: what was not seen by then is a failure
 */
export async function sideBySide(
  scenario: Scenario,
  directory: string,
  surroundings: ApacheSurroundings,
  stopped: AbortSignal,
): Promise<Row> {
  const { name, done, asked } = scenario
  const startedAt = performance.now()
  const apacheOn = (stage: Stage): System => new ApacheSystem(stage, name, surroundings)
  const end = AbortSignal.any([AbortSignal.timeout(DEADLINE_MS), stopped])
  const [apache, tandemmq] = await Promise.all([
    observe(scenario, join(directory, 'apache'), apacheOn, end),
    observe(scenario, join(directory, 'tandemmq'), (stage) => new OurSystem(stage), end),
  ])
  const seconds = Math.round((performance.now() - startedAt) / 1_000)
  return { scenario: name, done, asked, apache, tandemmq, seconds }
}

async function observe(
  scenario: Scenario,
  directory: string,
  systemOn: (stage: Stage) => System,
  end: AbortSignal,
): Promise<Cell> {
  await using stage = new Stage(directory)
  const ended = once(end, 'abort').then((): Cell => ({ failure: `not at its end: ${messageOf(end.reason)}` }))
  try {
    return await Promise.race([scenario.observe(systemOn(stage)), ended])
  } catch (failure) {
    return { failure: messageOf(failure) }
  }
}
