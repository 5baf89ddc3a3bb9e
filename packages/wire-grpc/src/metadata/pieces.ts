import { BrokerError } from '@tandemmq/base'

/** What goes into one message of the stream. */
const PIECE_BYTES = 1024 * 1024
/** More than this is taken for no snapshot at all: progress of some hundred thousand queues. */
export const WHOLE_BYTES_MAX = 512 * 1024 * 1024
/** A piece counts as this many bytes at least: keeping it costs something, however small it is. */
const COUNTED_BYTES_MIN = 1024

/** Cuts bytes so that no message is too large; the last piece, which may be empty, is marked. */
export function* piecesOf(bytes: Buffer): Generator<{ readonly piece: Buffer; readonly isLast: boolean }> {
  let at = 0
  do {
    const end = Math.min(bytes.length, at + PIECE_BYTES)
    yield { piece: bytes.subarray(at, end), isLast: end === bytes.length }
    at = end
  } while (at < bytes.length)
}

/** Puts pieces together again. */
export class Pieces {
  #pieces: Uint8Array[] = []
  #bytes = 0

  /** Throws `PROTOCOL_VIOLATION` when it gets too much. */
  add(piece: Uint8Array): void {
    this.#bytes += Math.max(piece.length, COUNTED_BYTES_MIN)
    if (this.#bytes > WHOLE_BYTES_MAX) {
      throw new BrokerError(
        'PROTOCOL_VIOLATION',
        `more than ${WHOLE_BYTES_MAX} bytes came in one piece of metadata`,
      )
    }
    this.#pieces.push(piece)
  }

  /** What has come so far, and begins anew. */
  take(): Buffer {
    const [only, ...rest] = this.#pieces
    this.#pieces = []
    this.#bytes = 0
    if (only === undefined) return Buffer.alloc(0)
    if (rest.length > 0) return Buffer.concat([only, ...rest])
    return Buffer.from(only.buffer, only.byteOffset, only.byteLength)
  }
}
