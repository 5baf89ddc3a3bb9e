import { mayPass, messageOf, type Clock, type Logger, type Timer } from '@tandemmq/base'
import type { MetadataStore } from '@tandemmq/metadata'
import type { Writability } from './writability.ts'

const RETRY_MS = 1_000

/** What is asked of the message store: where its queues end. */
export interface QueueEnds {
  queue(topic: string, queueId: number): { readonly maxOffset: number } | undefined
}

export interface ProgressCutPorts {
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * An epoch was opened: progress past the end of the queues is of bytes that are gone, and is cut there (rule 5.2). Nothing may be appended before that
 * is written down, or it would look consumed; so while the disk has no room the master stays unwritable, says why, and tries again.
 * Calls `done` once; returns how to give up.
 */
export function cutProgress(
  metadata: MetadataStore,
  store: QueueEnds,
  writability: Writability,
  { clock, logger }: ProgressCutPorts,
  done: () => void,
): () => void {
  let timer: Timer | undefined
  const attempt = (): void => {
    try {
      // All that was in the log has been dispatched by now.
      metadata.cutTo((topic, queueId) => store.queue(topic, queueId)?.maxOffset ?? 0)
    } catch (failure) {
      if (!mayPass(failure)) throw failure
      const why = `consumer progress past the end of the log cannot be cut: ${messageOf(failure)}`
      logger.warn({ why }, 'this master has to wait before it can be written to')
      writability.refuse('progress', why)
      timer = clock.after(RETRY_MS, attempt)
      return
    }
    writability.lift('progress')
    done()
  }
  attempt()
  return () => timer?.cancel()
}
