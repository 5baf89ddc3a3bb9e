import { closeSync, ftruncateSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'

const SEGMENT_BYTES = 1024 * 1024 * 1024

/** The least an append can do: a checksum over the body, and one write of the record's bytes behind the last ones. */
export class AppendFloor implements Disposable {
  readonly #path: string
  readonly #descriptor: number
  #position = 0

  constructor(directory: string) {
    this.#path = join(directory, 'floor')
    this.#descriptor = openSync(this.#path, 'w')
    ftruncateSync(this.#descriptor, SEGMENT_BYTES)
  }

  append(count: number, bodyBytes: number, recordBytes: number): void {
    const record = Buffer.alloc(recordBytes, 'x')
    for (let n = 0; n < count; n += 1) {
      if (this.#position + recordBytes > SEGMENT_BYTES) this.#beginAgain()
      record.writeInt32BE(crc32(record.subarray(0, bodyBytes)) | 0, 0)
      writeSync(this.#descriptor, record, 0, recordBytes, this.#position)
      this.#position += recordBytes
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor)
    rmSync(this.#path)
  }

  #beginAgain(): void {
    ftruncateSync(this.#descriptor, 0)
    ftruncateSync(this.#descriptor, SEGMENT_BYTES)
    this.#position = 0
  }
}
