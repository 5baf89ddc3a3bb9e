import type { LogOffset } from '@tandemmq/base'
import type { SegmentReader } from './segment-reader.ts'

/** Bytes read at a time. */
const WINDOW_BYTES = 1024 * 1024
/** Room before a window for what the one before left over: a record that was not whole yet. Grows where that is longer. */
const ROOM_BYTES = 64 * 1024

/** Memory for one window, and for the rest that it continues. */
interface WindowMemory {
  bytes: Buffer
  room: number
}

interface Coming {
  readonly offset: LogOffset
  readonly memory: WindowMemory
  /** What was read, behind the memory's room. */
  readonly read: Promise<Buffer>
}

/**
 * The log from a place on, window by window, in two pieces of memory: while one window is looked at, the next is being read. No window goes beyond the end
 * of a segment.
 */
export class LogWindows {
  readonly #reader: SegmentReader
  readonly #windowBytes: number
  #free: WindowMemory
  #coming: Coming

  /** Begins to read at `offset`, below the reader's limit. */
  constructor(reader: SegmentReader, offset: LogOffset) {
    this.#reader = reader
    this.#windowBytes = Math.min(WINDOW_BYTES, reader.limits.segmentBytes)
    this.#free = this.#memory(ROOM_BYTES)
    this.#coming = this.#begin(offset, this.#memory(ROOM_BYTES))
  }

  /**
   * The bytes from `offset` on, of which `rest` is known already: the end of the window before, or nothing. At least one more than that, unless the segment
   * ends. Windows handed out before are overwritten.
   */
  async next(offset: LogOffset, rest: Buffer): Promise<Buffer> {
    const from = offset + rest.length
    if (this.#coming.offset !== from) {
      // A blank that is longer than a window.
      await this.settled()
      this.#coming = this.#begin(from, this.#coming.memory)
    }
    const { memory } = this.#coming
    const read = await this.#coming.read
    if (rest.length > memory.room) {
      const larger = this.#memory(2 * rest.length)
      read.copy(larger.bytes, larger.room)
      memory.bytes = larger.bytes
      memory.room = larger.room
    }
    const start = memory.room - rest.length
    rest.copy(memory.bytes, start)
    const window = memory.bytes.subarray(start, memory.room + read.length)
    const free = this.#free
    this.#free = memory
    const ahead = from + read.length
    if (ahead < this.#reader.limit) this.#coming = this.#begin(ahead, free)
    return window
  }

  /** Nothing is being read any more, whether that has succeeded or not. */
  async settled(): Promise<void> {
    await Promise.allSettled([this.#coming.read])
  }

  #begin(offset: LogOffset, memory: WindowMemory): Coming {
    const target = memory.bytes.subarray(memory.room, memory.room + this.#windowBytes)
    const read = this.#reader.readInto(target, offset)
    // Who asks for this window hears of a failure; perhaps nobody does.
    read.catch(() => undefined)
    return { offset, memory, read }
  }

  #memory(room: number): WindowMemory {
    return { bytes: Buffer.allocUnsafeSlow(room + this.#windowBytes), room }
  }
}
