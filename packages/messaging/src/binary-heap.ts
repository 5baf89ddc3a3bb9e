/** The least element first. Adding and taking cost O(log n). */
export class BinaryHeap<T> {
  readonly #before: (a: T, b: T) => boolean
  #items: T[] = []

  /** @param before whether `a` comes out before `b`; a strict order */
  constructor(before: (a: T, b: T) => boolean) {
    this.#before = before
  }

  get size(): number {
    return this.#items.length
  }

  peek(): T | undefined {
    return this.#items[0]
  }

  push(item: T): void {
    const items = this.#items
    let at = items.length
    items.push(item)
    while (at > 0) {
      const parentAt = (at - 1) >> 1
      const parent = items[parentAt]
      if (parent === undefined || !this.#before(item, parent)) break
      items[at] = parent
      at = parentAt
    }
    items[at] = item
  }

  pop(): T | undefined {
    const items = this.#items
    const top = items[0]
    const last = items.pop()
    if (last !== undefined && items.length > 0) this.#sink(last)
    return top
  }

  /** Drops what `keep` does not want, in one pass. */
  retain(keep: (item: T) => boolean): void {
    const kept = this.#items.filter(keep)
    this.#items = []
    for (const item of kept) this.push(item)
  }

  clear(): void {
    this.#items = []
  }

  #sink(item: T): void {
    const items = this.#items
    let at = 0
    for (;;) {
      const left = items[2 * at + 1]
      if (left === undefined) break
      const right = items[2 * at + 2]
      const rightFirst = right !== undefined && this.#before(right, left)
      const child = rightFirst ? right : left
      if (!this.#before(child, item)) break
      items[at] = child
      at = 2 * at + (rightFirst ? 2 : 1)
    }
    items[at] = item
  }
}
