/** What one read of a socket takes at most: a few batches of a busy master, and little beside what a connection's buffers take in the system. */
const READ_BYTES = 256 * 1024

/**
 * Where a socket that reads much puts all it reads (`onread` of node:net): the same memory for every read, and four times as much in one as
 * Node's own reads, each of which takes new memory.
 */
export class ReusedMemory {
  readonly buffer = Buffer.allocUnsafeSlow(READ_BYTES)
  /** Who takes what was read; it is lent. */
  taker: ((chunk: Buffer) => void) | undefined

  /** Called by the socket. True: it goes on reading. */
  readonly callback = (bytes: number): boolean => {
    this.taker?.(this.buffer.subarray(0, bytes))
    return true
  }
}
