/** Those that could serve consumers next and follow what is written down here: they know of an orderly delivery before it leaves (rule 5.8). */
export interface LeaseWitnesses {
  /** Whether anybody follows now. */
  readonly arePresent: boolean
  /**
   * Resolves once all who follow now have taken everything written down so far: `true`. `false`: one of them did not in time, and follows no
   * longer. Never rejects.
   */
  acknowledged(): Promise<boolean>
}
