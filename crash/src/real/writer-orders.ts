/** What a writer process is told, as JSON in its first argument. */
export interface WriterOrders {
  readonly directory: string
  /** Names this boot of the machine. */
  readonly bootId: string
  /** So many messages were acknowledged in earlier lives. */
  readonly acknowledged: number
  /** Every so-manieth message waits until it is flushed. */
  readonly flushEvery: number
  /** It kills itself at that call that changes the disk, counted from its first append: right before it, or, a write, in the middle of it. */
  readonly killAt: number | undefined
  /** It stops by itself after so many messages. */
  readonly messagesMax: number
}

/**
 * Lines of its output, each on the disk's side of the promise it reports: `found N` messages, `broken WORDS`, `appended N` and `flushed N` in all,
 * `refused CODE`.
 */
export type WriterLine = 'found' | 'broken' | 'appended' | 'flushed' | 'refused'

export const SEGMENT_BYTES = 256 * 1024
