import { invariant } from '@tandemmq/base'
import type { LogOffset } from '@tandemmq/base'
import { CONTROL_BYTES_MAX, encodeFrameHeader, encodeReport } from './ha-frame.ts'
import { decodeChecksummedRange, decodeRange, encodeChecksummedRange, encodeRange } from './ha-range-field.ts'
import type { ChecksummedRange, LogRange } from './ha-range-field.ts'
import { decodeNames, encodeNames } from './ha-names-field.ts'
import { Fields, FieldWriter } from './ha-tagged-fields.ts'

/**
 * What travels between data frames and reports (rule 2.3); every field may be absent, unknown ones are skipped.
 * Upwards a negative i64 −n, downwards a frame header of size −n, opens a control frame of n bytes of tagged fields.
 */
export interface Control {
  /** Down: the position up to which consumers may read. */
  readonly confirmed?: LogOffset
  /** Down: answer with the checksum of this range. */
  readonly check?: LogRange
  /** Up: its checksum; or that it cannot be told, because the range is not there or cannot be read. */
  readonly checked?: ChecksummedRange
  readonly unchecked?: LogRange
  /** Down: this range of your log differs from mine. */
  readonly mismatch?: LogRange
  /** Down: this range of your log is the same as mine, whatever was said of it before. */
  readonly equal?: LogRange
  /** Down: where the master's log ends, so that a slave knows what it lacks. */
  readonly end?: LogOffset
  /** Either way: a token (u32) to be sent back at once as `pong`. */
  readonly ping?: number
  readonly pong?: number
  /** Up: whether this replica can write. */
  readonly writable?: boolean
  /** With `writable: false`: why, in words. */
  readonly problem?: string
  /** Up: what is on disk, and what consumers of this replica can find. */
  readonly flushed?: LogOffset
  readonly dispatched?: LogOffset
  /** Up: this replica is about to stop and asks how far it still counts. */
  readonly leaving?: boolean
  /** Down, its answer: the log's end; nothing above waits for this replica. */
  readonly countsTo?: LogOffset
  /** Down: promise to take no serving token for one lease (rule 4.6). The number of the question (u32). */
  readonly abstain?: number
  /** Up: promised, by the number of the question. No answer: not promised. */
  readonly abstains?: number
  /** Down: who has, or had, this log besides the receiver: the master, and whoever it has ever counted (rule 3.3). At most {@link ROSTER_MAX} are told. */
  readonly roster?: readonly string[]
  /** Down: who, by the word of the operator, is gone for good, and was not counted since. At most {@link ROSTER_MAX}. */
  readonly forgotten?: readonly string[]
}

/** 18 and 19 are kept for the repair of a range (request, bytes); 14 was one forgotten name, told once. */
const TAG = {
  confirmed: 1,
  ping: 2,
  pong: 3,
  writable: 4,
  problem: 5,
  flushed: 6,
  dispatched: 7,
  leaving: 8,
  countsTo: 9,
  end: 10,
  abstain: 11,
  abstains: 12,
  roster: 13,
  forgotten: 15,
  check: 16,
  checked: 17,
  unchecked: 20,
  mismatch: 21,
  equal: 22,
} as const
const PROBLEM_BYTES_MAX = 1024
/** More replicas than this are told to no slave: a master has at most 64 at a time. */
export const ROSTER_MAX = 256

export function encodeControl(control: Control): Buffer {
  const fields = new FieldWriter()
  if (control.confirmed !== undefined) fields.integer(TAG.confirmed, control.confirmed)
  if (control.check !== undefined) fields.bytes(TAG.check, encodeRange(control.check))
  if (control.checked !== undefined) fields.bytes(TAG.checked, encodeChecksummedRange(control.checked))
  if (control.unchecked !== undefined) fields.bytes(TAG.unchecked, encodeRange(control.unchecked))
  if (control.mismatch !== undefined) fields.bytes(TAG.mismatch, encodeRange(control.mismatch))
  if (control.equal !== undefined) fields.bytes(TAG.equal, encodeRange(control.equal))
  if (control.end !== undefined) fields.integer(TAG.end, control.end)
  if (control.ping !== undefined) fields.integer(TAG.ping, control.ping)
  if (control.pong !== undefined) fields.integer(TAG.pong, control.pong)
  if (control.writable !== undefined) fields.byte(TAG.writable, control.writable ? 1 : 0)
  if (control.problem !== undefined) {
    fields.bytes(TAG.problem, Buffer.from(control.problem, 'utf8').subarray(0, PROBLEM_BYTES_MAX))
  }
  if (control.flushed !== undefined) fields.integer(TAG.flushed, control.flushed)
  if (control.dispatched !== undefined) fields.integer(TAG.dispatched, control.dispatched)
  if (control.leaving !== undefined) fields.byte(TAG.leaving, control.leaving ? 1 : 0)
  if (control.countsTo !== undefined) fields.integer(TAG.countsTo, control.countsTo)
  if (control.abstain !== undefined) fields.integer(TAG.abstain, control.abstain)
  if (control.abstains !== undefined) fields.integer(TAG.abstains, control.abstains)
  if (control.roster !== undefined) fields.bytes(TAG.roster, encodeNames(control.roster.slice(0, ROSTER_MAX)))
  if (control.forgotten !== undefined)
    fields.bytes(TAG.forgotten, encodeNames(control.forgotten.slice(0, ROSTER_MAX)))
  return fields.finish()
}

/** A control frame from slave to master. */
export function encodeControlUp(control: Control): Buffer {
  const body = checkedBody(control)
  return Buffer.concat([encodeReport(-body.length), body])
}

/** A control frame from master to slave. `next` is the next offset to be sent, as in a heartbeat. */
export function encodeControlDown(control: Control, next: LogOffset): Buffer {
  const body = checkedBody(control)
  return Buffer.concat([encodeFrameHeader(next, -body.length), body])
}

/** Throws `PROTOCOL_VIOLATION` for a malformed field. */
export function decodeControl(body: Buffer): Control {
  const fields = new Fields(body)
  const control: { -readonly [K in keyof Control]: Control[K] } = {}
  const confirmed = fields.offset(TAG.confirmed)
  if (confirmed !== undefined) control.confirmed = confirmed
  const [check, unchecked, mismatch, equal] = [TAG.check, TAG.unchecked, TAG.mismatch, TAG.equal].map(
    (tag) => {
      const range = fields.bytes(tag)
      return range === undefined ? undefined : decodeRange(range)
    },
  )
  if (check !== undefined) control.check = check
  if (unchecked !== undefined) control.unchecked = unchecked
  if (mismatch !== undefined) control.mismatch = mismatch
  if (equal !== undefined) control.equal = equal
  const checked = fields.bytes(TAG.checked)
  if (checked !== undefined) control.checked = decodeChecksummedRange(checked)
  const end = fields.offset(TAG.end)
  if (end !== undefined) control.end = end
  const ping = fields.offset(TAG.ping)
  if (ping !== undefined) control.ping = ping
  const pong = fields.offset(TAG.pong)
  if (pong !== undefined) control.pong = pong
  const writable = fields.byte(TAG.writable)
  if (writable !== undefined) control.writable = writable !== 0
  const problem = fields.text(TAG.problem, PROBLEM_BYTES_MAX)
  if (problem !== undefined) control.problem = problem
  const flushed = fields.offset(TAG.flushed)
  if (flushed !== undefined) control.flushed = flushed
  const dispatched = fields.offset(TAG.dispatched)
  if (dispatched !== undefined) control.dispatched = dispatched
  const leaving = fields.byte(TAG.leaving)
  if (leaving !== undefined) control.leaving = leaving !== 0
  const countsTo = fields.offset(TAG.countsTo)
  if (countsTo !== undefined) control.countsTo = countsTo
  const abstain = fields.offset(TAG.abstain)
  if (abstain !== undefined) control.abstain = abstain
  const abstains = fields.offset(TAG.abstains)
  if (abstains !== undefined) control.abstains = abstains
  const roster = fields.bytes(TAG.roster)
  if (roster !== undefined) control.roster = decodeNames(roster, ROSTER_MAX)
  const forgotten = fields.bytes(TAG.forgotten)
  if (forgotten !== undefined) control.forgotten = decodeNames(forgotten, ROSTER_MAX)
  return control
}

function checkedBody(control: Control): Buffer {
  const body = encodeControl(control)
  invariant(
    body.length > 0 && body.length <= CONTROL_BYTES_MAX,
    'a control frame says something, in at most 64 KiB',
  )
  return body
}
