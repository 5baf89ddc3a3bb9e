import type { Files } from '@tandemmq/base'
import { isQueued } from '@tandemmq/storage'
import { queueKey } from '../check-log.ts'
import { StoredLog } from '../stored-log.ts'
import type { LostMessages } from './repair-step.ts'

/** The messages from a log offset on that can still be read, by topic and queue. */
export function messagesFrom(files: Files, root: string, offset: number): readonly LostMessages[] {
  using log = new StoredLog(files, root)
  const lost = new Map<string, LostMessages>()
  for (const piece of log.pieces()) {
    if (piece.kind !== 'message' || piece.offset < offset || !isQueued(piece.record.sysFlag)) continue
    const { topic, queueId, queueOffset } = piece.record
    const key = queueKey(topic, queueId)
    const before = lost.get(key)
    lost.set(key, {
      topic,
      queueId,
      messages: (before?.messages ?? 0) + 1,
      firstQueueOffset: Math.min(before?.firstQueueOffset ?? queueOffset, queueOffset),
      lastQueueOffset: Math.max(before?.lastQueueOffset ?? queueOffset, queueOffset),
    })
  }
  return [...lost.values()]
}
