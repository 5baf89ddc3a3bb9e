import { crc32 } from 'node:zlib'

/** Sparse pages: holes cost nothing and read as zeros. */
const PAGE_BYTES = 4096
const emptyPage = crc32(Buffer.alloc(PAGE_BYTES))
/** Checksums of pages that never change. */
const sums = new WeakMap<Buffer, number>()

/** The bytes of one simulated file. */
export class FileContent {
  #pages = new Map<number, Buffer>()
  /** Pages that a copy of this file has too: never changed in place. */
  #shared = new Set<number>()
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Bytes that the file occupies; holes do not count. */
  get allocated(): number {
    return this.#pages.size * PAGE_BYTES
  }

  /** How many bytes {@link allocated} would grow by if `length` bytes were written at `position`. */
  growth(position: number, length: number): number {
    let missing = 0
    if (length === 0) return 0
    const last = Math.floor((position + length - 1) / PAGE_BYTES)
    for (let page = Math.floor(position / PAGE_BYTES); page <= last; page += 1) {
      if (!this.#pages.has(page)) missing += 1
    }
    return missing * PAGE_BYTES
  }

  read(target: Uint8Array, position: number): number {
    const count = Math.max(0, Math.min(target.length, this.#size - position))
    for (let done = 0; done < count;) {
      const at = position + done
      const start = at % PAGE_BYTES
      const length = Math.min(PAGE_BYTES - start, count - done)
      const page = this.#pages.get(Math.floor(at / PAGE_BYTES))
      if (page) target.set(page.subarray(start, start + length), done)
      else target.fill(0, done, done + length)
      done += length
    }
    return count
  }

  write(bytes: Uint8Array, position: number): void {
    for (let done = 0; done < bytes.length;) {
      const at = position + done
      const start = at % PAGE_BYTES
      const length = Math.min(PAGE_BYTES - start, bytes.length - done)
      this.#page(Math.floor(at / PAGE_BYTES)).set(bytes.subarray(done, done + length), start)
      done += length
    }
    this.#size = Math.max(this.#size, position + bytes.length)
  }

  truncate(size: number): void {
    if (size < this.#size) {
      const first = Math.ceil(size / PAGE_BYTES)
      for (const page of this.#pages.keys()) if (page >= first) this.#drop(page)
      if (size % PAGE_BYTES !== 0 && this.#pages.has(first - 1))
        this.#page(first - 1).fill(0, size % PAGE_BYTES)
    }
    this.#size = size
  }

  /** An independent copy; what neither changes is kept once. */
  copy(): FileContent {
    const copy = new FileContent()
    copy.#pages = new Map(this.#pages)
    copy.#shared = new Set(this.#pages.keys())
    this.#shared = new Set(this.#pages.keys())
    copy.#size = this.#size
    return copy
  }

  /** CRC-32 of the length and of everything that is not zero. */
  checksum(): number {
    let sum = crc32(String(this.#size))
    for (const index of [...this.#pages.keys()].toSorted((a, b) => a - b)) {
      const page = this.#pages.get(index)
      if (page === undefined) continue
      const known = sums.get(page) ?? crc32(page)
      if (this.#shared.has(index)) sums.set(page, known)
      if (known !== emptyPage) sum = crc32(`${index} ${known}`, sum)
    }
    return sum
  }

  #drop(index: number): void {
    this.#pages.delete(index)
    this.#shared.delete(index)
  }

  /** For changing. */
  #page(index: number): Buffer {
    const known = this.#pages.get(index)
    if (known !== undefined && !this.#shared.has(index)) return known
    const page = known === undefined ? Buffer.alloc(PAGE_BYTES) : Buffer.from(known)
    this.#pages.set(index, page)
    this.#shared.delete(index)
    return page
  }
}
