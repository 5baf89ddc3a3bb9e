import { BrokerError } from '@tandemmq/base'

/** Why sends are refused now, in words; empty = writable. Each reason is set and lifted by whoever knows. */
export class Writability {
  readonly #reasons = new Map<string, string>()
  readonly #listeners = new Set<() => void>()

  get isWritable(): boolean {
    return this.#reasons.size === 0
  }

  get problems(): readonly string[] {
    return [...this.#reasons.values()]
  }

  /** @param source who knows, for instance `registry` */
  refuse(source: string, words: string): void {
    if (this.#reasons.get(source) === words) return
    this.#reasons.set(source, words)
    this.#tell()
  }

  lift(source: string): void {
    if (this.#reasons.delete(source)) this.#tell()
  }

  /** Throws `NOT_WRITABLE` with the first reason. */
  check(): void {
    const [first] = this.#reasons.values()
    if (first !== undefined) throw new BrokerError('NOT_WRITABLE', first)
  }

  /** Returns how to stop. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #tell(): void {
    for (const listener of this.#listeners) listener()
  }
}

/** For brokers that have no master role: nothing can be written. */
export function refuseWriting(): never {
  throw new BrokerError('NOT_WRITABLE', 'this broker is a slave: messages go to its master')
}
