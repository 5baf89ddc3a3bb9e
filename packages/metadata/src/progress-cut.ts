import type { Cut } from './change.ts'
import { generationAfter } from './change-completion.ts'
import type { QueueProgress } from './queue-progress.ts'

/**
 * The cut of all progress that reaches past the ends of its queues (rule 5.2), under a generation above theirs, and how many it concerns; `undefined`: none does.
 * The others keep their generation.
 */
export function progressCut(
  queues: Iterable<QueueProgress>,
  endOf: (topic: string, queueId: number) => number,
  servingEpoch: number,
): { readonly cut: Cut; readonly count: number } | undefined {
  const beyond: QueueProgress[] = []
  const ends = new Map<string, Cut['ends'][number]>()
  for (const queue of queues) {
    const { topic, queueId } = queue
    const end = endOf(topic, queueId)
    if (queue.end <= end) continue
    beyond.push(queue)
    ends.set(`${topic}/${queueId}`, { topic, queueId, end })
  }
  if (beyond.length === 0) return undefined
  const generation = generationAfter(beyond, servingEpoch)
  return { cut: { kind: 'cut', ends: [...ends.values()], generation }, count: beyond.length }
}
