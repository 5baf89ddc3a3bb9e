/** Errors that nobody caught: thrown in a timer or a microtask, or a promise that nobody waits for. They belong to the execution that runs. */
export class Strays {
  static #only: Strays | undefined
  #errors: unknown[] = []

  private constructor() {
    process.on('uncaughtException', (error) => this.#errors.push(error))
    process.on('unhandledRejection', (error) => this.#errors.push(error))
  }

  /** From the first call on they are collected. */
  static collect(): Strays {
    Strays.#only ??= new Strays()
    return Strays.#only
  }

  /** Throws the first one since the last call. */
  check(): void {
    const [first] = this.#errors
    if (this.#errors.length === 0) return
    this.#errors = []
    throw first
  }
}
