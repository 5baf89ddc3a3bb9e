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
  /** Log bytes that are not as they were written, or may not be. */
  readonly log?: LogDamage
}

/** Log offsets [`from`, `to`). */
export interface LogDamage {
  readonly from: number
  readonly to: number
  /**
   * `gap`: there is no record; `tail`: nor behind; `content`: a record's checksum is wrong; `place`: it contradicts its consume queue, so one of the
   * two is wrong.
   */
  readonly kind: 'gap' | 'tail' | 'content' | 'place'
}

export function problem(file: string, at: number, what: string): Finding {
  return { kind: 'problem', file, at, what }
}

export function note(file: string, at: number, what: string): Finding {
  return { kind: 'note', file, at, what }
}
