import { crc32 } from 'node:zlib'
import { BrokerError } from '@tandemmq/base'
import type { Clock } from '@tandemmq/base'
import type { Lineage } from '@tandemmq/codec'
import type { ReplicatedLog } from '../replicated-log.ts'

export const LOG_ID = '0123456789abcdef0123456789abcdef'

/** A lineage of one log whose epochs start at the given offsets; their openers differ by number and `salt`. */
export function lineageOf(starts: Readonly<Record<number, number>>, salt = 0): Lineage {
  const epochs = Object.entries(starts).map(([epoch, start]) => ({
    epoch: Number(epoch),
    start,
    opener: (Number(epoch) * 16 + salt).toString(16).padStart(16, '0'),
  }))
  return { logId: LOG_ID, epochs }
}

/** A log in memory, with a disk that takes as long and fails as often as a test says. */
export class MemoryLog implements ReplicatedLog {
  readonly segmentBytes: number
  lineage: Lineage | undefined
  minOffset: number
  flushed: number
  flushMs = 0
  appendProblem: string | undefined
  flushProblem: string | undefined
  checksumProblem: string | undefined
  /** Calls of {@link read}, to see who reads when nobody can take it. */
  readBytes = 0
  cuts: number[] = []
  readonly #clock: Clock
  readonly #appended = new Set<() => void>()
  readonly #flushedListeners = new Set<() => void>()
  #space = Buffer.alloc(1024)
  #length = 0

  constructor(
    clock: Clock,
    options: { readonly begin?: number; readonly segmentBytes?: number; readonly lineage?: Lineage } = {},
  ) {
    this.#clock = clock
    this.segmentBytes = options.segmentBytes ?? 65536
    this.minOffset = options.begin ?? 0
    this.flushed = this.minOffset
    this.lineage = options.lineage
  }

  get end(): number {
    return this.minOffset + this.#length
  }

  get bytes(): Buffer {
    return this.#space.subarray(0, this.#length)
  }

  /** What a master's producers do. */
  write(bytes: Buffer): void {
    this.append(this.end, bytes)
  }

  /** What retention does. */
  dropBelow(offset: number): void {
    this.#replace(this.bytes.subarray(offset - this.minOffset))
    this.minOffset = offset
  }

  /** A disk that lies. */
  damage(offset: number): void {
    const bytes = Buffer.from(this.bytes)
    const at = offset - this.minOffset
    bytes.writeUInt8(bytes.readUInt8(at) ^ 0xff, at)
    this.#replace(bytes)
  }

  read(offset: number, maxBytes: number): Buffer {
    if (offset < this.minOffset) throw new BrokerError('LOG_CORRUPT', `${offset} is no longer kept`)
    const at = offset - this.minOffset
    // Careless about segment ends, so that the write side must not be.
    const bytes = this.bytes.subarray(at, at + maxBytes)
    this.readBytes += bytes.length
    return bytes
  }

  append(at: number, bytes: Buffer): void {
    if (this.appendProblem !== undefined) throw new BrokerError('DISK_FULL', this.appendProblem)
    if (at !== this.end) {
      if (this.#length > 0 || at % this.segmentBytes !== 0)
        throw new Error(`append at ${at}, end is ${this.end}`)
      this.minOffset = at
      this.flushed = at
    }
    if (this.#length + bytes.length > this.#space.length) {
      const space = Buffer.alloc(2 * (this.#length + bytes.length))
      this.bytes.copy(space)
      this.#space = space
    }
    bytes.copy(this.#space, this.#length)
    this.#length += bytes.length
    for (const listener of this.#appended) listener()
  }

  async flush(): Promise<void> {
    const target = this.end
    if (this.flushMs > 0) await new Promise<void>((resolve) => this.#clock.after(this.flushMs, resolve))
    if (this.flushProblem !== undefined) throw new BrokerError('LOG_FENCED', this.flushProblem)
    if (target <= this.flushed) return
    this.flushed = target
    for (const listener of this.#flushedListeners) listener()
  }

  checksum(from: number, to: number): number {
    if (this.checksumProblem !== undefined) throw new BrokerError('UNAVAILABLE', this.checksumProblem)
    return crc32(this.bytes.subarray(from - this.minOffset, to - this.minOffset))
  }

  async adoptLineage(lineage: Lineage): Promise<void> {
    this.lineage = lineage
  }

  async truncateTo(offset: number): Promise<void> {
    this.cuts.push(offset)
    this.#replace(this.bytes.subarray(0, offset - this.minOffset))
    this.flushed = Math.min(this.flushed, offset)
  }

  onAppend(listener: () => void): () => void {
    this.#appended.add(listener)
    return () => this.#appended.delete(listener)
  }

  onFlush(listener: () => void): () => void {
    this.#flushedListeners.add(listener)
    return () => this.#flushedListeners.delete(listener)
  }

  /** A new space: what was handed out must not change. */
  #replace(bytes: Buffer): void {
    this.#length = bytes.length
    this.#space = Buffer.from(bytes)
  }
}
