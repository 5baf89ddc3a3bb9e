import {
  DownwardReader,
  FRAME_BODY_MAX,
  UpwardReader,
  encodeControlDown,
  encodeControlUp,
  encodeFrameHeader,
  encodeReport,
  type DownwardUnit,
  type UpwardUnit,
} from '@tandemmq/codec'
import { chunkings } from '../engine/chunks.ts'
import { claim, claimSame } from '../engine/claim.ts'
import { checkedRefusal } from '../engine/refusal.ts'
import type { Target, Verdict } from '../target.ts'

/** Readers copy what is left over once per chunk. */
const allocation = { baseBytes: 4 * 1024 * 1024, perInputByte: 2048 }

/** What a master sends: Apache's 12-byte headers with log bytes, and our control frames. */
export const haDownward: Target = {
  name: 'ha-downward',
  holds:
    'the same units however it is cut into chunks; sizes and offsets within their limits; a control frame that decodes says the same again',
  allocation,
  run: (input) =>
    sameUnits(
      input,
      () => new DownwardReader(),
      downwardWords,
      (unit) => {
        if (unit.kind === 'frame') {
          claim(unit.size >= 0 && unit.size <= FRAME_BODY_MAX, `a frame of ${unit.size} bytes`)
          claim(Number.isSafeInteger(unit.offset + unit.size), 'a frame ends at a log offset')
          claim(encodeFrameHeader(unit.offset, unit.size).length === 12, 'a header can be written again')
        }
        if (unit.kind === 'control') {
          const next = new DownwardReader()
          if (Object.keys(unit.control).length === 0) return
          next.feed(encodeControlDown(unit.control, unit.next))
          claimSame(next.next(), unit, 'a control frame says the same again')
        }
      },
    ),
}

/** What a slave sends: Apache's 8-byte reports, and our control frames. */
export const haUpward: Target = {
  name: 'ha-upward',
  holds:
    'the same units however it is cut into chunks; positions are positions; a control frame that decodes says the same again',
  allocation,
  run: (input) =>
    sameUnits(
      input,
      () => new UpwardReader(),
      (units) => units,
      (unit) => {
        const next = new UpwardReader()
        if (unit.kind === 'report') next.feed(encodeReport(unit.position))
        else if (Object.keys(unit.control).length > 0) next.feed(encodeControlUp(unit.control))
        else return
        claimSame(next.next(), unit, 'a unit says the same again')
      },
    ),
}

interface Reader<Unit> {
  feed(chunk: Buffer): void
  next(): Unit | undefined
}

function sameUnits<Unit extends DownwardUnit | UpwardUnit>(
  input: Buffer,
  newReader: () => Reader<Unit>,
  words: (units: readonly Unit[]) => readonly unknown[],
  check: (unit: Unit) => void,
): Verdict {
  const [first, ...others] = chunkings(input).map((chunks) => readAll(newReader(), chunks))
  if (first === undefined) return 'refused'
  for (const unit of first.units) check(unit)
  for (const other of others) {
    claimSame(words(other.units), words(first.units), 'chunks make no difference to what is read')
    claim(
      other.end === first.end,
      `chunks make a difference to the end: ${other.end} instead of ${first.end}`,
    )
  }
  return first.units.length > 0 ? 'taken' : 'refused'
}

function readAll<Unit>(reader: Reader<Unit>, chunks: readonly Buffer[]): { units: Unit[]; end: string } {
  const units: Unit[] = []
  try {
    for (const chunk of chunks) {
      reader.feed(chunk)
      for (let unit = reader.next(); unit !== undefined; unit = reader.next()) units.push(unit)
    }
    return { units, end: 'no fault' }
  } catch (error) {
    return { units, end: checkedRefusal(['PROTOCOL_VIOLATION'], error).message }
  }
}

/** Pieces joined: where a frame is cut depends on the chunks, what it says does not. */
function downwardWords(units: readonly DownwardUnit[]): readonly unknown[] {
  const words: unknown[] = []
  let open: { at: number; bytes: Buffer[] } | undefined
  for (const unit of units) {
    if (unit.kind !== 'piece') {
      open = undefined
      words.push(unit)
    } else if (open === undefined) {
      open = { at: unit.offset, bytes: [unit.bytes] }
      words.push(open)
    } else {
      const has: number = open.bytes.reduce((sum, { length }) => sum + length, 0)
      claim(unit.offset === open.at + has, 'pieces follow each other')
      open.bytes.push(unit.bytes)
    }
  }
  return words.map((word) => (isPieces(word) ? Buffer.concat(word.bytes).toString('hex') : word))
}

function isPieces(word: unknown): word is { readonly bytes: readonly Buffer[] } {
  return typeof word === 'object' && word !== null && 'bytes' in word && Array.isArray(word.bytes)
}
