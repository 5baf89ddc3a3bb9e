/** `taken`: the bytes mean something. `refused`: a typed error said why not. Anything else that happens is a finding. */
export type Verdict = 'taken' | 'refused'

/** One decoder, or one machine, that meets bytes from outside. */
export interface Target {
  /** Also the name of its directory in `corpus/`. */
  readonly name: string
  /** What must hold for every input: the oracle, in words. */
  readonly holds: string
  /** Throws for a finding. The same input gives the same outcome, whatever ran before. */
  readonly run: (input: Buffer) => Verdict | Promise<Verdict>
  /** An execution takes milliseconds: `npm test` gives it fewer. */
  readonly isCostly?: boolean
  /** How much memory an input may cost. Default: 1 MiB and 64 bytes for each of its own. */
  readonly allocation?: AllocationLimit
}

export interface AllocationLimit {
  readonly baseBytes: number
  readonly perInputByte: number
}
