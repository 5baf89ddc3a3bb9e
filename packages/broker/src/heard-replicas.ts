import type { Hello } from '@tandemmq/codec'

/** More names than this are not remembered, beside those of the roster: whoever knows the secret can say any. */
const HEARD_MAX = 256

/** Replicas that have introduced themselves since the start of a master, each by its last hello (rule 3.2). */
export class HeardReplicas {
  readonly #hellos = new Map<string, Hello>()
  readonly #roster: () => readonly string[]

  constructor(roster: () => readonly string[]) {
    this.#roster = roster
  }

  get all(): readonly Hello[] {
    return [...this.#hellos.values()]
  }

  /** Those that hold something of this log; empty ones, and those of another log, know nothing of it. */
  holdersOf(logId: string | undefined): readonly Hello[] {
    return this.all.filter(
      ({ lineage, begin, end }) => lineage !== undefined && lineage.logId === logId && end > begin,
    )
  }

  add(hello: Hello): void {
    const { identity } = hello
    const isExpected = this.#hellos.has(identity) || this.#roster().includes(identity)
    if (isExpected || this.#hellos.size < HEARD_MAX) this.#hellos.set(identity, hello)
  }
}
