/** What is done to whom, and what must come of it. */
export interface Attack {
  /** The port, the file or the entry, for instance `broker-master HA`. */
  readonly target: string
  readonly attack: string
  readonly expected: string
}

/** A part of the matrix: brings up what it needs, then runs its rows one after the other. */
export type Section = (matrix: Matrix) => Promise<void>

/** The rows of one run, printed as they are finished. */
export class Matrix {
  readonly #print: (line: string) => void
  readonly #only: RegExp
  readonly #leftOut = new Set<string>()
  #passed = 0
  #failed = 0

  /** @param only rows whose target and attack do not match it are left out */
  constructor(print: (line: string) => void, only = /(?:)/) {
    this.#print = print
    this.#only = only
    print('| target | attack | expected | seen |')
    print('|---|---|---|---|')
  }

  get passed(): number {
    return this.#passed
  }

  get failed(): number {
    return this.#failed
  }

  /** The targets of rows that were left out, each once. */
  get leftOut(): readonly string[] {
    return [...this.#leftOut]
  }

  /** @param run throws when it is not as expected; otherwise says what was seen, for instance `peak +12 MB` */
  async row({ target, attack, expected }: Attack, run: () => Promise<string>): Promise<void> {
    if (!this.#only.test(`${target} ${attack}`)) {
      this.#leftOut.add(target)
      return
    }
    let seen: string
    try {
      seen = await run()
      this.#passed += 1
    } catch (failure) {
      seen = `**FAILED** ${wordsOf(failure)}`
      this.#failed += 1
    }
    this.#print(`| ${[target, attack, expected, seen].map(cell).join(' | ')} |`)
  }
}

/** What was thrown, with its causes. */
function wordsOf(failure: unknown): string {
  if (!(failure instanceof Error)) return String(failure)
  const { cause, message } = failure
  return cause === undefined ? message : `${message}: ${wordsOf(cause)}`
}

function cell(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|')
}
