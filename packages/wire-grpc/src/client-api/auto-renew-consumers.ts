import type { Clock, Timer } from '@tandemmq/base'
import type { ConsumerPresence } from './call-target.ts'

/** A consumer not heard of for this long is gone. */
const EXPIRY_MS = 120_000
const CONSUMERS_MAX = 100_000

interface Consumer {
  readonly clientId: string
  readonly group: string
  heardAt: number
}

/**
 * Consumers whose leases this broker renews: it does so while they are heard of, be it through their own calls or through a gateway that
 * passes their heartbeats on. Ordered by when they were last heard of; one timer while there are any.
 */
export class AutoRenewConsumers implements ConsumerPresence {
  readonly #clock: Clock
  readonly #onGone: (clientId: string, group: string) => void
  readonly #consumers = new Map<string, Consumer>()
  #timer: Timer | undefined

  constructor(clock: Clock, onGone: (clientId: string, group: string) => void) {
    this.#clock = clock
    this.#onGone = onGone
  }

  has(clientId: string, group: string): boolean {
    return this.#consumers.has(keyOf(clientId, group))
  }

  seen(clientId: string, group: string): void {
    const key = keyOf(clientId, group)
    const consumer = this.#consumers.get(key) ?? { clientId, group, heardAt: 0 }
    consumer.heardAt = this.#clock.monotonic()
    this.#consumers.delete(key)
    this.#consumers.set(key, consumer)
    if (this.#consumers.size > CONSUMERS_MAX) this.#expireFirst()
    this.#timer ??= this.#clock.after(EXPIRY_MS, () => this.#expire())
  }

  gone(clientId: string, group: string): void {
    this.#consumers.delete(keyOf(clientId, group))
    this.#onGone(clientId, group)
  }

  close(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#consumers.clear()
  }

  #expire(): void {
    this.#timer = undefined
    const now = this.#clock.monotonic()
    for (const { clientId, group, heardAt } of this.#consumers.values()) {
      if (heardAt + EXPIRY_MS > now) {
        this.#timer = this.#clock.after(heardAt + EXPIRY_MS - now, () => this.#expire())
        return
      }
      this.gone(clientId, group)
    }
  }

  #expireFirst(): void {
    for (const { clientId, group } of this.#consumers.values()) {
      this.gone(clientId, group)
      return
    }
  }
}

function keyOf(clientId: string, group: string): string {
  return `${group}\n${clientId}` // A group has no line feed.
}
