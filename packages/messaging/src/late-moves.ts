import type { Logger, QueueOffset } from '@tandemmq/base'
import type { MessageLog } from './message-log.ts'
import { readableRecord } from './readable-record.ts'
import { ReputSearch, type Reput } from './reput-search.ts'
import { TIMER_QUEUE_ID, TIMER_TOPIC, dueTimeOf, targetOf } from './timer-record.ts'

/** Records read together. */
const TOGETHER = 32

/**
 * Finds the records that deliver the scheduled ones `unmoved`, of which some group's progress came here only after they had been put: with a hand-back, whose slave
 * had not copied them yet, or before a restart (rule 5.6). `pause` gives others their turn.
 */
export async function* lateMoves(
  log: MessageLog,
  unmoved: ReadonlySet<QueueOffset>,
  logger: Logger,
  pause: () => Promise<void>,
): AsyncIterable<Reput> {
  const queue = log.queue(TIMER_TOPIC, TIMER_QUEUE_ID)
  if (queue === undefined) return
  const offsets = [...unmoved]
  const search = new ReputSearch(log, logger)
  for (let at = 0; at < offsets.length; at += TOGETHER) {
    const units = offsets.slice(at, at + TOGETHER).map((offset) => queue.unit(offset))
    const places = units.filter((unit) => unit !== undefined)
    await log.warm(places)
    for (const place of places) {
      const properties = readableRecord(log, place, logger)?.properties
      const target = properties === undefined ? undefined : targetOf(properties)
      if (properties !== undefined && target) search.expect(target, dueTimeOf(properties))
    }
    await pause()
  }
  for await (const reput of search.results(pause)) if (unmoved.has(reput.mark.queueOffset)) yield reput
}
