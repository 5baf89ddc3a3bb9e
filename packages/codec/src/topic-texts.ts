const SLOTS = 1024

interface KnownTopic {
  readonly bytes: Buffer
  readonly text: string
}

/** Topics as texts, each made once: a log names a few of them very often. Holds {@link SLOTS} at most, the newest of each slot. */
export class TopicTexts {
  readonly #slots: (KnownTopic | undefined)[] = Array.from({ length: SLOTS }, () => undefined)
  #last: KnownTopic = { bytes: Buffer.alloc(0), text: '' }

  /** The text that lies in `source` as UTF-8 in [`from`, `to`). */
  at(source: Buffer, from: number, to: number): string {
    if (lies(this.#last.bytes, source, from, to)) return this.#last.text
    let hash = 0
    for (let at = from; at < to; at += 1) hash = (Math.imul(31, hash) + (source[at] ?? 0)) | 0
    const slot = (hash ^ (hash >>> 16)) & (SLOTS - 1)
    const known = this.#slots[slot]
    if (known !== undefined && lies(known.bytes, source, from, to)) {
      this.#last = known
      return known.text
    }
    const bytes = Buffer.from(source.subarray(from, to))
    this.#last = { bytes, text: bytes.toString() }
    this.#slots[slot] = this.#last
    return this.#last.text
  }
}

function lies(bytes: Buffer, source: Buffer, from: number, to: number): boolean {
  if (bytes.length !== to - from) return false
  for (let n = 0; n < bytes.length; n += 1) if (bytes[n] !== source[from + n]) return false
  return true
}
