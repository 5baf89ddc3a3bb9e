/** A sound input to start from, for one target. */
export interface Seed {
  readonly target: string
  /** Of its file in the corpus, without `seed-`. */
  readonly name: string
  readonly bytes: Buffer
}
