/** Lets all who ask in one turn of the event loop go on together in the next, as requests do that one read of a socket has brought. */
export class NextTurn {
  #waiting: (() => void)[] = []

  begun(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#waiting.length === 0) setImmediate(() => this.#begin())
      this.#waiting.push(resolve)
    })
  }

  #begin(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}
