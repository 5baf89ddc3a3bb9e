import { BrokerError, messageOf } from '@tandemmq/base'
import { FieldReader, FieldWriter } from '@tandemmq/codec'
import type { Answer } from './answer.ts'
import type { Change } from './change.ts'
import { decodeChange } from './change-decoding.ts'
import { encodeChange } from './change-encoding.ts'
import type { Cursor } from './cursor.ts'
import { METADATA_KINDS, kindOf, type MetadataKind, type Snapshot } from './snapshot.ts'

/*
 *  answer    1: cursor  2: since  3: changes (structure)*  4: topics  5: groups  6: progress  7: delay (structures: 1: change*)
 *  snapshot  4-7 as above
 *  cursor    two packed varints
 */

const SECTION_TAGS: Readonly<Record<MetadataKind, number>> = { topics: 4, groups: 5, progress: 6, delay: 7 }

export function encodeAnswer(answer: Answer): Buffer {
  const writer = new FieldWriter(1024)
  writeCursor(writer, 1, answer.cursor)
  if (answer.since !== undefined) writeCursor(writer, 2, answer.since)
  for (const change of answer.changes) writer.bytes(3, encodeChange(change))
  if (answer.snapshot !== undefined) writeSections(writer, answer.snapshot)
  return writer.finish()
}

/**
 * Throws `PROTOCOL_VIOLATION` if it is no answer at all. A change that cannot be read (a name outside the whitelist, a number
 * beyond 2^53) is left out and named under `problems`; the others count.
 */
export function decodeAnswer(bytes: Buffer): Answer {
  const reading = new Reading('answer', bytes)
  const { cursor, since } = reading
  if (cursor === undefined) throw new BrokerError('PROTOCOL_VIOLATION', 'a metadata answer lacks its cursor')
  return {
    cursor,
    ...(since === undefined ? { snapshot: reading.snapshot } : { since }),
    changes: reading.changes,
    problems: reading.problems,
  }
}

export function encodeSnapshot(snapshot: Snapshot): Buffer {
  const writer = new FieldWriter(1024)
  writeSections(writer, snapshot)
  return writer.finish()
}

/** As {@link decodeAnswer}. */
export function decodeSnapshot(bytes: Buffer): Snapshot {
  return new Reading('snapshot', bytes).snapshot
}

export function encodeCursor(cursor: Cursor): Buffer {
  return new FieldWriter(16).varint(cursor.processEpoch).varint(cursor.counter).finish()
}

/** Throws `PROTOCOL_VIOLATION`. */
export function decodeCursor(bytes: Buffer): Cursor {
  const reader = new FieldReader(bytes, 'cursor')
  return { processEpoch: reader.varint(), counter: reader.varint() }
}

function writeCursor(writer: FieldWriter, tag: number, cursor: Cursor): void {
  writer.bytes(tag, encodeCursor(cursor))
}

function writeSections(writer: FieldWriter, snapshot: Snapshot): void {
  for (const kind of METADATA_KINDS) {
    const changes = snapshot[kind]
    if (changes === undefined) continue
    writer.nested(SECTION_TAGS[kind], (section) => {
      for (const change of changes) section.bytes(1, encodeChange(change))
    })
  }
}

class Reading {
  cursor: Cursor | undefined
  since: Cursor | undefined
  readonly changes: Change[] = []
  readonly snapshot: Partial<Record<MetadataKind, readonly Change[]>> = {}
  readonly problems: Partial<Record<MetadataKind, string>> = {}

  constructor(what: string, bytes: Buffer) {
    const reader = new FieldReader(bytes, what)
    while (reader.next()) {
      const { tag } = reader
      const kind = METADATA_KINDS.find((each) => SECTION_TAGS[each] === tag)
      if (kind !== undefined) this.snapshot[kind] = this.#section(kind, reader.nested(kind))
      else if (tag === 1) this.cursor = decodeCursor(reader.bytes())
      else if (tag === 2) this.since = decodeCursor(reader.bytes())
      else if (tag === 3) this.changes.push(...this.#change('progress', reader.bytes()))
    }
  }

  #section(kind: MetadataKind, reader: FieldReader): readonly Change[] {
    const changes: Change[] = []
    while (reader.next()) {
      if (reader.tag === 1) changes.push(...this.#change(kind, reader.bytes()))
    }
    // A change filed under another kind could pass for that kind's answer.
    return changes.filter((change) => kindOf(change) === kind)
  }

  #change(kind: MetadataKind, bytes: Buffer): readonly Change[] {
    try {
      const change = decodeChange(bytes)
      return change === undefined ? [] : [change]
    } catch (cause) {
      if (!(cause instanceof BrokerError)) throw cause
      this.problems[kind] ??= messageOf(cause)
      return []
    }
  }
}
