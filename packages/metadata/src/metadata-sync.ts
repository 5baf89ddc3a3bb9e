import { BrokerError, messageOf, type Clock, type Logger, type Random, type Timer } from '@tandemmq/base'
import type { Answer, KindResult, SyncResult } from './answer.ts'
import type { Cursor } from './cursor.ts'
import type { MetadataSource } from './metadata-source.ts'
import type { MetadataStore } from './metadata-store.ts'
import { METADATA_KINDS, type MetadataKind } from './snapshot.ts'

export interface MetadataSyncOptions {
  /** Default 10 000. */
  readonly pullIntervalMs?: number
  /** How long one pull may take. Default 5 000. */
  readonly pullTimeoutMs?: number
  /** Default true: changes arrive at once; the pull alone is enough, but later. */
  readonly watch?: boolean
}

export interface MetadataSyncPorts {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

export interface MetadataSyncStatus {
  /** Wall clock, ms; undefined before the first success. */
  readonly lastSuccessAt: number | undefined
  /** Up to where the followed store's changes are applied. */
  readonly version: Cursor | undefined
  readonly kinds: Readonly<Partial<Record<MetadataKind, KindResult>>>
  readonly watching: boolean
  /** Why the last attempt failed; undefined after a success. */
  readonly problem: string | undefined
}

/** So many attempts in a row fail before anybody is troubled with it: at most 30 s, as pulls are made. */
const TROUBLE_AFTER = 3
const RETRY_MIN_MS = 100
const RETRY_MAX_MS = 5_000

/**
 * Keeps a store up to date with the one it follows: a pull at the start and every 10 s, which is enough by itself, and a
 * watch in between. An answer that fails or is empty changes nothing.
 */
export class MetadataSync {
  readonly #options: Required<MetadataSyncOptions>
  readonly #ports: MetadataSyncPorts
  readonly #source: MetadataSource
  readonly #store: MetadataStore
  readonly #stop = new AbortController()
  readonly #listeners = new Set<(status: MetadataSyncStatus) => void>()
  #status: MetadataSyncStatus = {
    lastSuccessAt: undefined,
    version: undefined,
    kinds: {},
    watching: false,
    problem: undefined,
  }
  #timers = new Set<Timer>()
  #pulling: Promise<void> | undefined
  /** The watch that runs; ends it. */
  #watched: AbortController | undefined
  /** The next watch follows without a pause. */
  #isWoken = false
  /** Calls to the followed broker that are under way. */
  readonly #calls = new Set<AbortController>()
  /** Until the next watch. */
  #pause: Timer | undefined
  #failedWatches = 0
  #failures = 0

  private constructor(
    options: MetadataSyncOptions,
    ports: MetadataSyncPorts,
    source: MetadataSource,
    store: MetadataStore,
  ) {
    this.#options = { pullIntervalMs: 10_000, pullTimeoutMs: 5_000, watch: true, ...options }
    this.#ports = ports
    this.#source = source
    this.#store = store
  }

  /** Pulls at once and goes on until {@link close}. */
  static start(
    options: MetadataSyncOptions,
    ports: MetadataSyncPorts,
    source: MetadataSource,
    store: MetadataStore,
  ): MetadataSync {
    const sync = new MetadataSync(options, ports, source, store)
    const first = sync.#pullAndRepeat()
    // The first answer is everything: once is enough.
    if (sync.#options.watch) void first.then(() => sync.#watchAndRepeat())
    return sync
  }

  get status(): MetadataSyncStatus {
    return this.#status
  }

  /** Why what is followed does not come, for some time now, or does not come whole; `undefined`: it comes. */
  get trouble(): string | undefined {
    // Without a failure: an answer has come, and something in it could not be read.
    return this.#failures === 0 || this.#failures >= TROUBLE_AFTER ? this.#status.problem : undefined
  }

  /** Called after every attempt and when the watch begins or ends; returns how to stop. */
  onStatus(listener: (status: MetadataSyncStatus) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Pulls now, or waits for the pull that is running. Never rejects: see {@link status}. */
  pull(): Promise<void> {
    this.#pulling ??= this.#pull().finally(() => {
      this.#pulling = undefined
    })
    return this.#pulling
  }

  /**
   * The followed broker is there again: asks at once, instead of when the pauses after failures are over. What it learns before we follow
   * it again is lost with it. A watch that runs may still wait for the process that is gone, and is made anew.
   */
  wake(): void {
    void this.pull()
    this.#failedWatches = 0
    this.#isWoken = this.#watched !== undefined
    this.#watched?.abort(new Error('the followed broker is another process now'))
    const pause = this.#pause
    if (pause === undefined) return
    pause.cancel()
    this.#timers.delete(pause)
    this.#watchAndRepeat()
  }

  close(): void {
    this.#stop.abort(new Error('metadata sync was closed'))
    for (const call of this.#calls) call.abort(this.#stop.signal.reason)
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
  }

  #pullAndRepeat(): Promise<void> {
    this.#later(this.#options.pullIntervalMs, () => void this.#pullAndRepeat())
    return this.pull()
  }

  async #pull(): Promise<void> {
    const call = this.#begin()
    const { signal } = call
    const timer = this.#later(this.#options.pullTimeoutMs, () => call.abort(new Error('no answer in time')))
    try {
      const first = await abortable(this.#source.pull(this.#store.followed, signal), signal)
      // Changes that do not follow what is known: everything, then.
      if (this.#applied(first).outcome === 'gap') {
        this.#applied(await abortable(this.#source.pull(undefined, signal), signal))
      }
    } catch (cause) {
      if (!this.#stop.signal.aborted) this.#failed('a metadata pull failed', cause)
    } finally {
      this.#calls.delete(call)
      timer.cancel()
      this.#timers.delete(timer)
    }
  }

  #watchAndRepeat(): void {
    this.#pause = undefined
    if (this.#stop.signal.aborted) return
    void this.#watch().then(() => {
      if (this.#stop.signal.aborted) return
      if (this.#isWoken) {
        this.#isWoken = false
        this.#watchAndRepeat()
        return
      }
      const back = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** Math.min(10, this.#failedWatches))
      this.#failedWatches++
      const pauseMs = back / 2 + this.#ports.random.below(back / 2)
      this.#pause = this.#later(pauseMs, () => this.#watchAndRepeat())
    })
  }

  /** Resolves when the watch has ended, for whatever reason. */
  async #watch(): Promise<void> {
    const connection = this.#begin()
    this.#watched = connection
    const { signal } = connection
    const onAnswer = (answer: Answer): void => {
      if (signal.aborted) return
      this.#failedWatches = 0
      this.#update({ watching: true })
      try {
        if (this.#applied(answer).outcome === 'gap') connection.abort(new Error('the watch has a gap'))
      } catch (cause) {
        connection.abort(cause)
        this.#failed('a metadata answer could not be applied', cause)
      }
    }
    try {
      await abortable(this.#source.watch(this.#store.followed, onAnswer, signal), signal)
    } catch (cause) {
      if (this.#stop.signal.aborted) return
      this.#ports.logger.debug({ why: messageOf(cause) }, 'the metadata watch has ended')
    } finally {
      connection.abort()
      this.#calls.delete(connection)
      this.#watched = undefined
      if (this.#status.watching) this.#update({ watching: false })
    }
  }

  /** A call that ends when this is closed. `AbortSignal.any` would keep alive for good whoever listens to a call that never ends. */
  #begin(): AbortController {
    const call = new AbortController()
    this.#calls.add(call)
    if (this.#stop.signal.aborted) call.abort(this.#stop.signal.reason)
    return call
  }

  #applied(answer: Answer): SyncResult {
    const result = this.#store.applyRemote(answer)
    if (result.outcome === 'gap') return result
    this.#failures = 0
    const kinds = { ...this.#status.kinds }
    for (const kind of METADATA_KINDS) kinds[kind] = result.kinds[kind]
    const problem = METADATA_KINDS.map((kind) => result.kinds[kind].why).find((why) => why !== undefined)
    this.#update({ lastSuccessAt: this.#ports.clock.now(), version: this.#store.followed, kinds, problem })
    return result
  }

  #failed(message: string, cause: unknown): void {
    this.#failures++
    // Said once per outage: the pull goes on every 10 s for as long as it lasts. At a start nobody may be there to be asked yet.
    const isAway = cause instanceof BrokerError && cause.code === 'UNAVAILABLE'
    const sayAt = isAway && this.#status.lastSuccessAt === undefined ? 2 : 1
    if (this.#failures === sayAt) this.#ports.logger.warn({ why: messageOf(cause) }, message)
    this.#update({ problem: messageOf(cause) })
  }

  #update(change: Partial<MetadataSyncStatus>): void {
    this.#status = { ...this.#status, ...change }
    for (const listener of this.#listeners) listener(this.#status)
  }

  #later(delayMs: number, task: () => void): Timer {
    const timer = this.#ports.clock.after(delayMs, () => {
      this.#timers.delete(timer)
      task()
    })
    this.#timers.add(timer)
    return timer
  }
}

/** A source that does not heed its signal must not hold up the next attempt. */
function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'))
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
