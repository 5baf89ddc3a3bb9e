/** What the records of the journal hold. Part of the format: never reuse a number. */
export const JOURNAL_TAGS = {
  /** First record of a file. Field 1: process epoch. */
  start: 1,
  /** The snapshot that a file begins with is complete. */
  snapshotEnd: 2,
  /** One change. */
  change: 3,
  /** A config file is about to be replaced. Fields 1: name, 2: digest of the new content. */
  fileNote: 4,
  /** Nothing happened: a witness that everything before it is on disk. */
  witness: 5,
} as const
