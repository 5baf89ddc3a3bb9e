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
  readonly kind: LogDamageKind
  /** Where the record before a gap begins: what hit the gap may have hit its properties, which have no checksum. */
  readonly before?: number
}

export type LogDamageKind =
  /** There is no record, but behind. */
  | 'gap'
  /** There is no record, nor behind. */
  | 'tail'
  /** Files before the first one are missing. */
  | 'head'
  /** What was on disk behind the end is missing. */
  | 'lost'
  /** A record has another checksum than it says. */
  | 'content'
  /** A record does not follow the one before it in its queue. */
  | 'place'
  /** A record has another place than the unit that leads to it. */
  | 'pointed'

export function problem(file: string, at: number, what: string): Finding {
  return { kind: 'problem', file, at, what }
}

export function note(file: string, at: number, what: string): Finding {
  return { kind: 'note', file, at, what }
}
