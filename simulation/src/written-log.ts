import { decodeRecord, propertyOf, scanFrame, type LogRecord } from '@tandemmq/codec'
import type { Broker } from '@tandemmq/broker'
import { logBytes } from '@tandemmq/testkit'

/** A log as it was at one moment, read from its bytes alone. */
export class WrittenLog {
  readonly begin: number
  readonly bytes: Buffer
  readonly #segmentBytes: number
  #records: ReadonlyMap<number, LogRecord> | undefined

  constructor(broker: Broker) {
    const { store } = broker
    this.begin = store.minOffset
    this.bytes = logBytes(store)
    this.#segmentBytes = store.segmentBytes
  }

  get end(): number {
    return this.begin + this.bytes.length
  }

  /** By where they begin. */
  get records(): ReadonlyMap<number, LogRecord> {
    this.#records ??= recordsOf(this.bytes, this.begin, this.#segmentBytes)
    return this.#records
  }

  /** Where its last whole record ends: a copy may end within one, of which nothing is left once it is made the log. */
  get wholeEnd(): number {
    const [at, record] = [...this.records].at(-1) ?? [this.begin, undefined]
    return at + (record?.size ?? 0)
  }

  /** Bytes from `from` to `to`, both inside. */
  between(from: number, to: number): Buffer {
    return this.bytes.subarray(from - this.begin, to - this.begin)
  }
}

/** The id that its producer gave it. */
export function idOf({ properties }: LogRecord): string | undefined {
  return propertyOf(properties, 'UNIQ_KEY')
}

/** By where they begin: the whole records of `bytes`, which begin with one at `begin` of a log. */
export function recordsOf(
  bytes: Buffer,
  begin: number,
  segmentBytes: number,
): ReadonlyMap<number, LogRecord> {
  const records = new Map<number, LogRecord>()
  const limits = { recordBytesMax: segmentBytes, segmentBytes }
  for (let at = 0; at < bytes.length;) {
    const scan = scanFrame(bytes, at, limits, begin + at)
    // A copy may end within a record.
    if (scan.kind === 'incomplete') break
    if (scan.kind !== 'message' && scan.kind !== 'blank')
      throw new Error(`the log has ${scan.kind} at ${begin + at}`)
    if (scan.kind === 'message') records.set(begin + at, decodeRecord(bytes, at))
    at += scan.size
  }
  return records
}
