/** Sparse pages: holes cost nothing and read as zeros. */
const PAGE_BYTES = 4096

/** The bytes of one simulated file. */
export class FileContent {
  #pages = new Map<number, Buffer>()
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
      for (const page of this.#pages.keys()) if (page >= first) this.#pages.delete(page)
      if (size % PAGE_BYTES !== 0) this.#pages.get(first - 1)?.fill(0, size % PAGE_BYTES)
    }
    this.#size = size
  }

  copy(): FileContent {
    const copy = new FileContent()
    for (const [index, page] of this.#pages) copy.#pages.set(index, Buffer.from(page))
    copy.#size = this.#size
    return copy
  }

  #page(index: number): Buffer {
    const known = this.#pages.get(index)
    if (known) return known
    const page = Buffer.alloc(PAGE_BYTES)
    this.#pages.set(index, page)
    return page
  }
}
