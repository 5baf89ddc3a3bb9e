/** A promise that was not kept, in words. */
export class BrokenPromise extends Error {
  override readonly name = 'BrokenPromise'
  /** Acknowledged messages that are missing. */
  readonly lost: number

  constructor(words: string, lost = 0) {
    super(words)
    this.lost = lost
  }
}

/** Throws {@link BrokenPromise} unless it is so. */
export function demand(isSo: boolean, broken: string): void {
  if (!isSo) throw new BrokenPromise(broken)
}
