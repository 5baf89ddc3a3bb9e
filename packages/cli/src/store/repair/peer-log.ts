import { BrokerError } from '@tandemmq/base'
import type { Lineage } from '@tandemmq/codec'
import type { ReplicatedLog } from '@tandemmq/ha-protocol'
import { lineageCutAt } from '@tandemmq/storage'
import { crc32 } from 'node:zlib'
import { demandSameLineage, type DamagedStore } from './range-source.ts'

/**
 * The damaged log as the other broker is shown it: it ends where the damage begins, and never grows, so that nothing is ever reported as held, or
 * served, that is not. What comes goes to `take`.
 */
export class PeerLog implements ReplicatedLog {
  readonly minOffset: number
  readonly end: number
  readonly flushed: number
  readonly segmentBytes: number
  readonly lineage: Lineage | undefined
  readonly #store: DamagedStore
  readonly #to: number
  readonly #take: (offset: number, bytes: Buffer) => void
  readonly #done: PromiseWithResolvers<void>
  #next: number

  constructor(
    store: DamagedStore,
    from: number,
    to: number,
    take: (offset: number, bytes: Buffer) => void,
    done: PromiseWithResolvers<void>,
  ) {
    this.#store = store
    this.#to = to
    this.#take = take
    this.#done = done
    this.#next = from
    this.minOffset = Math.min(store.first, from)
    this.end = from
    this.flushed = from
    this.segmentBytes = store.segmentBytes
    this.lineage = store.lineage && lineageCutAt(store.lineage, from)
  }

  read(): Buffer {
    throw new BrokerError('UNAVAILABLE', 'a log that is being repaired serves nobody')
  }

  append(at: number, bytes: Buffer): void {
    if (this.#next >= this.#to) return
    try {
      if (at !== this.#next) {
        throw new BrokerError(
          'UNAVAILABLE',
          `the other broker sends its log from ${at} on, wanted was ${this.#next}`,
        )
      }
      const wanted = bytes.subarray(0, this.#to - at)
      this.#take(at, wanted)
      this.#next += wanted.length
      if (this.#next >= this.#to) this.#done.resolve()
    } catch (failure) {
      this.#done.reject(failure)
      throw failure
    }
  }

  flush(): Promise<void> {
    return Promise.resolve()
  }

  checksum(from: number, to: number): number {
    let sum = 0
    for (let at = from; at < to;) {
      const piece = this.#store.read(at, to - at)
      sum = crc32(piece, sum)
      at += piece.length
    }
    return sum
  }

  /** The other's ancestry: before its bytes are believed. Ours stays as it is. */
  adoptLineage(lineage: Lineage): Promise<void> {
    try {
      demandSameLineage(this.#store, { lineage, end: Number.MAX_SAFE_INTEGER }, this.#to)
      return Promise.resolve()
    } catch (failure) {
      this.#done.reject(failure)
      return Promise.reject(failure)
    }
  }

  truncateTo(offset: number): Promise<void> {
    const failure = new BrokerError(
      'STORE_FOREIGN',
      `the master wants this log cut to ${offset}: the two differ there`,
    )
    this.#done.reject(failure)
    return Promise.reject(failure)
  }

  onAppend(): () => void {
    return () => {}
  }

  onFlush(): () => void {
    return () => {}
  }
}
