import { hash } from 'node:crypto'

/** Sparse pages: holes cost nothing and read as zeros. */
const PAGE_BYTES = 4096
const emptyPage = hash('sha1', Buffer.alloc(PAGE_BYTES), 'base64')
/** Hashes of pages that never change. */
const hashes = new WeakMap<Buffer, string>()

/** The bytes of one simulated file. */
export class FileContent {
  #pages = new Map<number, Buffer>()
  /** A copy of this file has the same map of pages: it is never changed in place. */
  #isShared = false
  /** Pages that no copy of this file has. */
  #owned = new Set<number>()
  #size = 0
  /** Of the present content, once asked for. */
  #fingerprint: string | undefined

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
    this.#fingerprint = undefined
  }

  truncate(size: number): void {
    this.#fingerprint = undefined
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
    copy.#pages = this.#pages
    copy.#isShared = true
    copy.#size = this.#size
    copy.#fingerprint = this.#fingerprint
    this.#isShared = true
    return copy
  }

  /** Equal for equal contents alone: the length, and a hash of everything that is not zero. */
  fingerprint(): string {
    return (this.#fingerprint ??= this.#hashed())
  }

  #hashed(): string {
    const parts = [String(this.#size)]
    for (const [index, page] of [...this.#pages].toSorted(([a], [b]) => a - b)) {
      const known = hashes.get(page) ?? hash('sha1', page, 'base64')
      if (this.#isShared || !this.#owned.has(index)) hashes.set(page, known)
      if (known !== emptyPage) parts.push(`${index}:${known}`)
    }
    return hash('sha1', parts.join(), 'base64')
  }

  #drop(index: number): void {
    this.#own()
    this.#pages.delete(index)
    this.#owned.delete(index)
  }

  /** For changing. */
  #page(index: number): Buffer {
    this.#own()
    const known = this.#pages.get(index)
    if (known !== undefined && this.#owned.has(index)) return known
    const page = known === undefined ? Buffer.alloc(PAGE_BYTES) : Buffer.from(known)
    this.#pages.set(index, page)
    this.#owned.add(index)
    return page
  }

  #own(): void {
    if (!this.#isShared) return
    this.#pages = new Map(this.#pages)
    this.#owned = new Set()
    this.#isShared = false
  }
}
