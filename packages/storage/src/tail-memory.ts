import { invariant, type LogOffset } from '@tandemmq/base'

interface Chunk {
  readonly start: LogOffset
  bytes: Buffer
  used: number
}

/**
 * The newest bytes of the log. Records are encoded right into it, written to the file from it, and whoever follows the
 * tail (replication, dispatch, consumers) reads views of it: nobody copies.
 *
 * Bytes once {@link keep | kept} never change and chunks are never reused, so a view stays true as long as it is held.
 */
export class TailMemory {
  readonly #bytesMax: number
  readonly #chunkBytes: number
  /** Oldest first. */
  readonly #chunks: Chunk[] = []
  #bytes = 0

  constructor(bytesMax: number, chunkBytes = Math.min(bytesMax, 256 * 1024)) {
    this.#bytesMax = bytesMax
    this.#chunkBytes = chunkBytes
  }

  /** Whether {@link room} for `size` bytes at `offset` lies where the bytes of the log end that are kept, in one piece with them. */
  hasRoom(offset: LogOffset, size: number): boolean {
    const last = this.#lastAt(offset)
    return last !== undefined && last.bytes.length - last.used >= size
  }

  /** Room for `size` bytes of the log at `offset`; they count once {@link keep} is called. */
  room(offset: LogOffset, size: number): { readonly bytes: Buffer; readonly at: number } {
    const last = this.#lastAt(offset)
    if (last !== undefined && last.bytes.length - last.used >= size) {
      return { bytes: last.bytes, at: last.used }
    }
    const rest = this.#unused(size)
    if (rest !== undefined) {
      this.#chunks.push({ start: offset, bytes: rest, used: 0 })
      return { bytes: rest, at: 0 }
    }
    const bytes = Buffer.allocUnsafeSlow(Math.max(this.#chunkBytes, size))
    this.#chunks.push({ start: offset, bytes, used: 0 })
    this.#bytes += bytes.length
    while (this.#bytes > this.#bytesMax && this.#chunks.length > 1) {
      this.#bytes -= this.#chunks.shift()?.bytes.length ?? 0
    }
    return { bytes, at: 0 }
  }

  /** The first `size` bytes of the last {@link room} are part of the log now. */
  keep(size: number): void {
    const last = this.#chunks.at(-1)
    invariant(last !== undefined && last.used + size <= last.bytes.length, 'only bytes with room are kept')
    last.used += size
  }

  /** Takes a copy of bytes that came from elsewhere, as part of the log at once. */
  copy(offset: LogOffset, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length;) {
      const last = this.#lastAt(offset + done)
      const free = last === undefined ? 0 : last.bytes.length - last.used
      const piece = bytes.subarray(done, done + (free > 0 ? free : this.#chunkBytes))
      const room = this.room(offset + done, Math.min(piece.length, bytes.length - done))
      room.bytes.set(piece, room.at)
      this.keep(piece.length)
      done += piece.length
    }
  }

  /** At most `bytesMax` bytes from `offset` on, without copying; `undefined` if they are not in memory. */
  view(offset: LogOffset, bytesMax: number): Buffer | undefined {
    for (let index = this.#chunks.length - 1; index >= 0; index -= 1) {
      const chunk = this.#chunks[index]
      if (chunk === undefined || offset < chunk.start) continue
      const at = offset - chunk.start
      if (at >= chunk.used) return undefined
      return chunk.bytes.subarray(at, Math.min(chunk.used, at + bytesMax))
    }
    return undefined
  }

  /** The part of the newest chunk that is behind its bytes, if it is long enough. Bytes that are not kept leave a gap before what follows them. */
  #unused(size: number): Buffer | undefined {
    const last = this.#chunks.at(-1)
    if (last === undefined || last.bytes.length - last.used < size) return undefined
    const rest = last.bytes.subarray(last.used)
    last.bytes = last.bytes.subarray(0, last.used)
    return rest
  }

  /** The newest chunk, if the log's byte at `offset` would be its next. */
  #lastAt(offset: LogOffset): Chunk | undefined {
    const last = this.#chunks.at(-1)
    return last !== undefined && last.start + last.used === offset ? last : undefined
  }
}
