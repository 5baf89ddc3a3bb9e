import { BrokerError, type Clock } from '@tandemmq/base'
import type { MemberStatus, RegistryLink, RegistrySession } from '@tandemmq/registry'

/** The way from one broker to a registry in the same process: it takes a while, and it can be cut. */
export class RegistryWire implements RegistryLink {
  readonly #registry: RegistryLink
  readonly #clock: Clock
  readonly #sessions = new Set<() => void>()
  #delayMs = 1
  #state: 'open' | 'silent' | 'cut' = 'open'

  constructor(registry: RegistryLink, clock: Clock) {
    this.#registry = registry
    this.#clock = clock
  }

  open(...[hello, onAnswer, onClosed]: Parameters<RegistryLink['open']>): RegistrySession {
    let isOpen = true
    const close = (last?: MemberStatus): void => {
      isOpen = false
      this.#sessions.delete(end)
      if (last === undefined) session?.close()
      else this.#later(() => session?.close(last))
    }
    const end = (): void => {
      if (!isOpen) return
      close()
      onClosed(new BrokerError('UNAVAILABLE', 'the way to the registry was cut'))
    }
    let session: RegistrySession | undefined
    this.#later(() => {
      if (!isOpen) return
      if (this.#state === 'cut') return end()
      session = this.#registry.open(
        hello,
        (answer) => this.#later(() => isOpen && onAnswer(answer)),
        (why) =>
          this.#later(() => {
            if (isOpen) onClosed(why)
            isOpen = false
          }),
      )
    })
    this.#sessions.add(end)
    return { send: (status) => this.#later(() => isOpen && session?.send(status)), close }
  }

  /** Whether anything passes. */
  get isOpen(): boolean {
    return this.#state === 'open'
  }

  delay(ms: number): void {
    this.#delayMs = ms
  }

  /** Connections break on both ends, and no new one comes to be before {@link heal}. */
  cut(): void {
    this.#state = 'cut'
    for (const end of this.#sessions) end()
  }

  /** Nothing passes, and nobody is told. */
  silence(): void {
    this.#state = 'silent'
  }

  heal(): void {
    this.#state = 'open'
  }

  #later(task: () => void): void {
    this.#clock.after(this.#delayMs, () => {
      if (this.#state !== 'silent') task()
    })
  }
}
