import { crc32 } from 'node:zlib'
import { BrokerError } from '@tandemmq/base'
import type { Lineage } from '@tandemmq/codec'
import type { ReplicatedLog } from '@tandemmq/ha-protocol'
import { Finding, claim } from '../engine/claim.ts'

/** A log in memory that is strict about who may do what with it. */
export class PlainLog implements ReplicatedLog {
  readonly segmentBytes = 65_536
  lineage: Lineage | undefined
  minOffset = 0
  flushed = 0
  /** The disk takes nothing more. */
  isFull = false
  /** What was done to it that must not be. */
  misuse: Finding | undefined
  readonly #onAppend = new Set<() => void>()
  readonly #onFlush = new Set<() => void>()
  #bytes = Buffer.alloc(0)

  constructor(lineage?: Lineage, bytes = Buffer.alloc(0)) {
    this.lineage = lineage
    this.#bytes = bytes
    this.flushed = bytes.length
  }

  get end(): number {
    return this.minOffset + this.#bytes.length
  }

  read(offset: number, maxBytes: number): Buffer {
    if (offset < this.minOffset) throw new BrokerError('LOG_CORRUPT', `${offset} is no longer kept`)
    const at = offset - this.minOffset
    return this.#bytes.subarray(at, at + maxBytes)
  }

  append(at: number, bytes: Buffer): void {
    if (this.isFull) throw new BrokerError('DISK_FULL', 'no space left')
    if (at !== this.end) {
      this.#demand(
        this.#bytes.length === 0 && at % this.segmentBytes === 0,
        `an append at ${at}, the end is ${this.end}`,
      )
      this.minOffset = at
      this.flushed = at
    }
    this.#demand(Number.isSafeInteger(at + bytes.length), `an append up to ${at + bytes.length}`)
    this.#demand(
      (at % this.segmentBytes) + bytes.length <= this.segmentBytes,
      'an append across the end of a segment',
    )
    this.#bytes = Buffer.concat([this.#bytes, bytes])
    for (const listener of this.#onAppend) listener()
  }

  async flush(): Promise<void> {
    if (this.isFull) throw new BrokerError('LOG_FENCED', 'the disk failed')
    if (this.flushed === this.end) return
    this.flushed = this.end
    for (const listener of this.#onFlush) listener()
  }

  checksum(from: number, to: number): number {
    this.#demand(from >= this.minOffset && to <= this.end && from <= to, `a checksum of ${from} to ${to}`)
    return crc32(this.#bytes.subarray(from - this.minOffset, to - this.minOffset))
  }

  async adoptLineage(lineage: Lineage): Promise<void> {
    this.lineage = lineage
  }

  async truncateTo(offset: number): Promise<void> {
    this.#demand(offset <= this.end, `a cut to ${offset} of a log that ends at ${this.end}`)
    this.#bytes = this.#bytes.subarray(0, Math.max(0, offset - this.minOffset))
    this.flushed = Math.min(this.flushed, this.end)
  }

  onAppend(listener: () => void): () => void {
    this.#onAppend.add(listener)
    return () => this.#onAppend.delete(listener)
  }

  onFlush(listener: () => void): () => void {
    this.#onFlush.add(listener)
    return () => this.#onFlush.delete(listener)
  }

  /** Callers may catch what is thrown here: it is kept as well. */
  #demand(condition: boolean, words: string): void {
    try {
      claim(condition, words)
    } catch (error) {
      if (error instanceof Finding) this.misuse ??= error
      throw error
    }
  }
}
