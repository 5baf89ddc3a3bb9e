import { CURSOR_ZERO, compareCursors, type Cursor } from './cursor.ts'
import { GENERATION_ZERO, type Generation } from './generation.ts'

export interface VersionedEntry<T> {
  readonly value: T
  readonly version: Cursor
}

/** Remembers a deletion, so that an older copy elsewhere cannot bring the entry back. */
export interface Deletion {
  readonly version: Cursor
  /** The generation that voided the progress on it. */
  readonly generation: Generation
}

const DELETIONS_MAX = 10_000

/** Topics or groups by name. An entry is replaced or deleted only by a newer version; absence elsewhere deletes nothing. */
export class ConfigTable<T extends { readonly name: string }> {
  readonly #entries = new Map<string, VersionedEntry<T>>()
  readonly #deletions = new Map<string, Deletion>()

  get size(): number {
    return this.#entries.size
  }

  get(name: string): T | undefined {
    return this.#entries.get(name)?.value
  }

  has(name: string): boolean {
    return this.#entries.has(name)
  }

  names(): Iterable<string> {
    return this.#entries.keys()
  }

  *values(): Generator<T> {
    for (const { value } of this.#entries.values()) yield value
  }

  entries(): Iterable<VersionedEntry<T>> {
    return this.#entries.values()
  }

  deletions(): Iterable<readonly [string, Deletion]> {
    return this.#deletions
  }

  /** The version that a change of `name` must exceed. */
  versionOf(name: string): Cursor {
    return this.#entries.get(name)?.version ?? this.#deletions.get(name)?.version ?? CURSOR_ZERO
  }

  deletionOf(name: string): Deletion | undefined {
    return this.#deletions.get(name)
  }

  /** False unless `version` is newer than what is known of that name. */
  put(value: T, version: Cursor): boolean {
    if (compareCursors(version, this.versionOf(value.name)) <= 0 && this.#knows(value.name)) return false
    this.#entries.set(value.name, { value, version })
    this.#deletions.delete(value.name)
    return true
  }

  /** False unless `version` is newer than what is known of that name. */
  delete(name: string, version: Cursor, generation: Generation = GENERATION_ZERO): boolean {
    if (compareCursors(version, this.versionOf(name)) <= 0) return false
    this.#entries.delete(name)
    this.#deletions.delete(name)
    this.#deletions.set(name, { version, generation })
    for (const oldest of this.#deletions.keys()) {
      if (this.#deletions.size <= DELETIONS_MAX) break
      this.#deletions.delete(oldest)
    }
    return true
  }

  #knows(name: string): boolean {
    return this.#entries.has(name) || this.#deletions.has(name)
  }
}
