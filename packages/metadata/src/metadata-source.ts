import type { Answer } from './answer.ts'
import type { Cursor } from './cursor.ts'
import type { HandBackWay } from './hand-back-way.ts'

/** The store that is followed, wherever it is: behind gRPC, or in the same simulated cluster. */
export interface MetadataSource extends HandBackWay {
  /** What has changed since `cursor` (undefined: everything). Rejects when it cannot be reached or `signal` aborts. */
  pull(cursor: Cursor | undefined, signal: AbortSignal): Promise<Answer>
  /**
   * Every answer as it comes, in order, each following the one before, until the connection ends or `signal` aborts. The other side is told what
   * `onAnswer` has taken, unless it has aborted `signal`: orderly deliveries wait for that (rule 5.8).
   */
  watch(cursor: Cursor | undefined, onAnswer: (answer: Answer) => void, signal: AbortSignal): Promise<void>
}

/** Answers other brokers' `pull` and `watch` from a store: the other half of a {@link MetadataSource}. */
export interface AnsweringStore {
  changesSince(cursor: Cursor | undefined, limit?: number): Answer
  onChange(listener: () => void): () => void
}

/**
 * Sends what changes, until `signal` aborts; with answers in order and none while nothing changes. `send` resolves when there
 * is room for more: a slow watcher is given fewer, larger answers, in the end a snapshot.
 */
export async function answerWatch(
  store: AnsweringStore,
  from: Cursor | undefined,
  send: (answer: Answer) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  let cursor = from
  let wake: (() => void) | undefined
  let hasNews = true
  const stop = store.onChange(() => {
    hasNews = true
    wake?.()
  })
  const onAbort = (): void => wake?.()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    while (!signal.aborted) {
      if (!hasNews) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
        continue
      }
      hasNews = false
      const answer = store.changesSince(cursor)
      if (answer.snapshot === undefined && answer.changes.length === 0) continue
      cursor = answer.cursor
      // It may have been cut at its limit.
      hasNews = true
      await send(answer)
    }
  } finally {
    stop()
    signal.removeEventListener('abort', onAbort)
  }
}
