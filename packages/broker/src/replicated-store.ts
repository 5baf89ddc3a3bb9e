import type { LogOffset } from '@tandemmq/base'
import type { Lineage } from '@tandemmq/codec'
import type { ReplicatedLog } from '@tandemmq/ha-protocol'
import type { MessageStore } from '@tandemmq/storage'

/** The message store as replication sees it: raw bytes at offsets. */
export class ReplicatedStore implements ReplicatedLog {
  readonly #store: MessageStore
  readonly #appendListeners = new Set<() => void>()
  readonly #flushListeners = new Set<() => void>()
  readonly #dispatchListeners = new Set<() => void>()
  readonly #lineageListeners = new Set<() => void>()
  readonly #cutListeners = new Set<(at: LogOffset) => void>()
  /** Not all listeners have taken the present lineage yet. */
  #owesLineage = false

  constructor(store: MessageStore) {
    this.#store = store
    this.#attach()
    store.onSession(() => this.#attach())
  }

  get minOffset(): LogOffset {
    return this.#store.minOffset
  }

  get end(): LogOffset {
    return this.#store.end
  }

  get flushed(): LogOffset {
    return this.#store.flushed.at
  }

  get segmentBytes(): number {
    return this.#store.segmentBytes
  }

  get lineage(): Lineage | undefined {
    return this.#store.lineage
  }

  read(offset: LogOffset, maxBytes: number, memory?: () => Buffer): Buffer {
    return this.#store.read(offset, maxBytes, memory)
  }

  readLater(offset: LogOffset, maxBytes: number, memory?: () => Buffer): Promise<Buffer> | undefined {
    return this.#store.readLater(offset, maxBytes, memory)
  }

  append(at: LogOffset, bytes: Buffer): void {
    this.#store.appendRaw(at, bytes)
  }

  flush(): Promise<void> {
    return this.#store.flush()
  }

  checksum(from: LogOffset, to: LogOffset): number {
    return this.#store.checksum(from, to)
  }

  async adoptLineage(lineage: Lineage): Promise<void> {
    const before = JSON.stringify(this.lineage)
    await this.#store.adoptLineage(lineage)
    // A listener that fails fails the adoption as well: the next one owes it the news.
    this.#owesLineage ||= JSON.stringify(this.lineage) !== before
    if (!this.#owesLineage) return
    for (const listener of this.#lineageListeners) listener()
    this.#owesLineage = false
  }

  async truncateTo(offset: LogOffset, isCommon?: boolean): Promise<void> {
    for (const listener of this.#cutListeners) listener(offset)
    await this.#store.truncateTo(offset, isCommon)
  }

  onAppend(listener: () => void): () => void {
    this.#appendListeners.add(listener)
    return () => this.#appendListeners.delete(listener)
  }

  onFlush(listener: () => void): () => void {
    this.#flushListeners.add(listener)
    return () => this.#flushListeners.delete(listener)
  }

  /** Calls `listener` when more of the log can be read by queue offset. */
  onDispatch(listener: () => void): () => void {
    this.#dispatchListeners.add(listener)
    return () => this.#dispatchListeners.delete(listener)
  }

  /** Calls `listener` when the log has taken over another lineage than it had, its master's, before anything of it is appended. */
  onLineage(listener: () => void): () => void {
    this.#lineageListeners.add(listener)
    return () => this.#lineageListeners.delete(listener)
  }

  /** Calls `listener` with the place before the log is cut there, so that nobody is shown what goes. */
  onCut(listener: (at: LogOffset) => void): () => void {
    this.#cutListeners.add(listener)
    return () => this.#cutListeners.delete(listener)
  }

  /** A cut gives the store new frontiers; the old ones move no more. */
  #attach(): void {
    this.#store.written.onAdvance(() => {
      for (const listener of this.#appendListeners) listener()
    })
    this.#store.flushed.onAdvance(() => {
      for (const listener of this.#flushListeners) listener()
    })
    this.#store.dispatched.onAdvance(() => {
      for (const listener of this.#dispatchListeners) listener()
    })
  }
}
