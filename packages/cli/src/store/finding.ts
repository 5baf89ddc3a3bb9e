/** Something that a check found. */
export interface Finding {
  /** `note`: it may be so, for instance because a process is at work; it does not make the store a bad one. */
  readonly kind: 'problem' | 'note'
  /** Path below the store's directory. */
  readonly file: string
  /** Byte position in the file. */
  readonly at: number
  /** What is wrong there, in words. */
  readonly what: string
}

export function problem(file: string, at: number, what: string): Finding {
  return { kind: 'problem', file, at, what }
}

export function note(file: string, at: number, what: string): Finding {
  return { kind: 'note', file, at, what }
}
