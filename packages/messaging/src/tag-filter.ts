import { tagsCodeOf } from '@tandemmq/codec'
import type { FilterExpression } from './api.ts'

/** A consumer's tag expression: first by the hash that the consume queue holds, then by the text. */
export class TagFilter {
  readonly #tags: ReadonlySet<string> | undefined
  readonly #codes: ReadonlySet<bigint> | undefined

  constructor(expression: FilterExpression) {
    if (expression.kind === 'all') return
    this.#tags = expression.tags
    this.#codes = new Set([...expression.tags].map((tag) => tagsCodeOf(tag)))
  }

  /** False is certain; true may be a collision of hashes. */
  mayMatch(tagsCode: bigint): boolean {
    return this.#codes === undefined || this.#codes.has(tagsCode)
  }

  matches(tag: string | undefined): boolean {
    return this.#tags === undefined || (tag !== undefined && this.#tags.has(tag))
  }
}
