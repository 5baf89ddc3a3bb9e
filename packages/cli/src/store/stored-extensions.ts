import type { Files } from '@tandemmq/base'
import { EXT_UNIT_BYTES_MAX, decodeExtUnit, extOffsetOf, extUnitBytes, isExtEnd } from '@tandemmq/codec'
import { problem, type Finding } from './finding.ts'
import { StoredFile, nameOf, positionOf } from './stored-file.ts'

/** What Apache keeps beside one consume queue (`enableConsumeQueueExt`), by the addresses that its units hold. */
export class StoredExtensions implements Disposable {
  readonly #directory: string
  /** By start. */
  readonly #files = new Map<number, StoredFile>()
  readonly #starts: readonly number[]
  /** Where units begin. */
  readonly #places = new Set<number>()

  constructor(files: Files, root: string, topic: string, queueId: number) {
    this.#directory = `consumequeue_ext/${topic}/${queueId}`
    this.#starts = files
      .list(`${root}/${this.#directory}`)
      .map(positionOf)
      .filter((start) => start !== undefined)
      .toSorted((a, b) => a - b)
    for (const start of this.#starts)
      this.#files.set(start, new StoredFile(files, `${root}/${this.#directory}/${nameOf(start)}`))
  }

  /** Units follow each other; behind the last one nothing was written. */
  *check(): Generator<Finding> {
    for (const [start, file] of this.#files) {
      const path = `${this.#directory}/${nameOf(start)}`
      const next = this.#starts.find((each) => each > start)
      if (next !== undefined && next !== start + file.bytes)
        yield problem(path, file.bytes, `the next file of extension units is ${nameOf(next)}`)
      const bytes = file.read(0, file.bytes)
      let at = 0
      for (let unit = decodeExtUnit(bytes, at); unit !== undefined; unit = decodeExtUnit(bytes, at)) {
        this.#places.add(start + at)
        at += extUnitBytes(unit)
      }
      if (isExtEnd(bytes, at)) continue
      if (bytes.subarray(at).some((byte) => byte !== 0))
        yield problem(path, at, 'no extension unit is here, but something is')
      else if (next !== undefined)
        yield problem(path, at, 'the file ends without its mark, and another one follows')
    }
  }

  /**
   * What is wrong with an address that stands in a unit's tags code, of whose record these are true; `undefined`: nothing, it is none, or what it leads to
   * has expired. `tagsCode` `undefined`: it is not known here.
   */
  wrongWith(address: bigint, tagsCode: bigint | undefined, storeTimestamp: number): string | undefined {
    const offset = extOffsetOf(address)
    const [first] = this.#starts
    if (offset === undefined || first === undefined || offset < first) return undefined
    const start = this.#starts.findLast((each) => each <= offset) ?? first
    const where = `at ${offset - start} of ${this.#directory}/${nameOf(start)}`
    const bytes = this.#files.get(start)?.read(offset - start, EXT_UNIT_BYTES_MAX)
    const unit = bytes && this.#places.has(offset) ? decodeExtUnit(bytes, 0) : undefined
    if (unit === undefined) return `leads to an extension unit ${where}, where none begins`
    if (tagsCode !== undefined && unit.tagsCode !== tagsCode)
      return `leads to an extension unit ${where} with tags code ${unit.tagsCode}; that of its record is ${tagsCode}`
    return unit.storeTimestamp === storeTimestamp
      ? undefined
      : `leads to an extension unit ${where} with store time ${unit.storeTimestamp}; that of its record is ${storeTimestamp}`
  }

  [Symbol.dispose](): void {
    for (const file of this.#files.values()) file[Symbol.dispose]()
  }
}
