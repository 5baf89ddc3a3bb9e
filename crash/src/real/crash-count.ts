import { sum, type Tally } from '@tandemmq/testkit'

/** What crashes of one kind have come to. */
export class CrashCount {
  readonly #what: string
  #tried = 0
  #acknowledged = 0
  #lost = 0
  readonly #broken: string[] = []

  /** `what` crashed, for people. */
  constructor(what: string) {
    this.#what = what
  }

  get broken(): readonly string[] {
    return this.#broken
  }

  get tried(): number {
    return this.#tried
  }

  /** Messages that were acknowledged before a crash and looked for after it. */
  get acknowledged(): number {
    return this.#acknowledged
  }

  /** One more crash, behind which `found` messages were left of so many acknowledged ones. */
  note(acknowledged: number, found: number | undefined, broken: readonly string[]): void {
    this.#tried += 1
    this.#acknowledged += acknowledged
    if (found === undefined) this.#broken.push('the store did not open again')
    else this.#lost += Math.max(0, acknowledged - found)
    this.#broken.push(...broken)
  }

  /** Prints the counts and what is broken. */
  report(): Tally {
    const broken = this.#broken.map((words) => `  ${words}\n`).join('')
    process.stdout.write(
      `${this.#what}: crashes tried ${this.#tried}, acknowledged messages looked for ${this.#acknowledged}, lost ${this.#lost}\n${broken}`,
    )
    const failed = this.#broken.length + (this.#lost > 0 ? 1 : 0)
    return sum([{ passed: Math.max(0, this.#tried - failed), failed }])
  }
}
