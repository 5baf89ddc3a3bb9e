import { TaskScript } from '@tandemmq/testkit'
import { live } from './life.ts'

/** Which life to live, and of which messages to tell. */
export interface LifeTask {
  readonly seed: number
  readonly messages: readonly string[]
}

/** How it went, as lines. */
export interface LifeReport {
  readonly isGood: boolean
  readonly lines: readonly string[]
}

export const lifeScript = new TaskScript<LifeTask, LifeReport>(new URL('life-main.ts', import.meta.url))

/** @param isWhole with the story, not in short */
export async function reportLife({ seed, messages }: LifeTask, isWhole = false): Promise<LifeReport> {
  const outcome = await live(seed)
  const isGood = outcome.violations.length === 0
  const lines = [
    ...(isWhole ? outcome.story : []),
    ...messages.flatMap((id) => outcome.tell(id)),
    `${isGood ? 'ok  ' : 'FAIL'} ${outcome.headline}`,
    `     ${outcome.summary}`,
    ...outcome.violations.slice(0, 20).map((violation) => `     ${violation}`),
  ]
  return { isGood, lines }
}
