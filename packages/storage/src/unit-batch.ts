import { UNIT_BYTES, dataViewOf, writeUnit, type ConsumeQueueUnit } from '@tandemmq/codec'

const nothing = Buffer.alloc(0)
const noView = dataViewOf(nothing)

/** Units of a queue that are to be written in one piece, in the form of its file: no object of theirs is kept. Without any it holds no memory. */
export class UnitBatch {
  #bytes: Buffer = nothing
  #view: DataView = noView
  #count = 0
  /** So many there were last time. */
  #expected = 1

  get count(): number {
    return this.#count
  }

  add(unit: ConsumeQueueUnit): void {
    const at = this.#count * UNIT_BYTES
    if (at === this.#bytes.length) this.#grow()
    writeUnit(this.#view, at, unit)
    this.#count += 1
  }

  /** What was added; it is forgotten here. */
  take(): Buffer {
    const bytes = this.#bytes.subarray(0, this.#count * UNIT_BYTES)
    if (this.#count > 0) this.#expected = this.#count
    this.#bytes = nothing
    this.#view = noView
    this.#count = 0
    return bytes
  }

  #grow(): void {
    const bytes = Buffer.allocUnsafe(Math.max(this.#expected, 2 * this.#count) * UNIT_BYTES)
    this.#bytes.copy(bytes)
    this.#bytes = bytes
    this.#view = dataViewOf(bytes)
  }
}
