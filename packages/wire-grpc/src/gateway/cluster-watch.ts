import type { Clock } from '@tandemmq/base'
import type { ServingView } from '@tandemmq/registry'
import type { BrokerChannels } from './broker-channel.ts'

/** Looks again; resolves its waiter if it finds something. */
type Look = () => void

/** Waits for something about the cluster to become true: asked once, then again at each change, never in between. */
export class ClusterWatch {
  readonly #clock: Clock
  readonly #looks = new Set<Look>()
  readonly #stop: readonly (() => void)[]

  constructor(view: ServingView, channels: BrokerChannels, clock: Clock) {
    this.#clock = clock
    const changed = (): void => {
      for (const look of this.#looks) look()
    }
    this.#stop = [view.onChange(changed), channels.onChange(changed)]
  }

  /** What `find` gives as soon as it gives something; `undefined` if it does not before `until` (monotonic, ms) or `signal` aborts first. */
  first<T>(find: () => T | undefined, until: number, signal: AbortSignal): Promise<T | undefined> {
    const found = find()
    if (found !== undefined || signal.aborted || until <= this.#clock.monotonic())
      return Promise.resolve(found)
    return new Promise((resolve) => {
      const settle = (value: T | undefined): void => {
        this.#looks.delete(look)
        timer?.cancel()
        signal.removeEventListener('abort', giveUp)
        resolve(value)
      }
      const look = (): void => {
        const value = find()
        if (value !== undefined) settle(value)
      }
      const giveUp = (): void => settle(undefined)
      const timer = Number.isFinite(until)
        ? this.#clock.after(until - this.#clock.monotonic(), giveUp)
        : undefined
      signal.addEventListener('abort', giveUp, { once: true })
      this.#looks.add(look)
    })
  }

  close(): void {
    for (const stop of this.#stop) stop()
  }
}
