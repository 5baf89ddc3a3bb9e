/** When something expires, and which queue offset it is about. */
export interface Expiry {
  readonly at: number
  readonly queueOffset: number
}

/** A binary heap: the earliest expiry first. Entries are not removed when they become void; the owner skips them. */
export class ExpiryHeap {
  #items: Expiry[] = []

  get size(): number {
    return this.#items.length
  }

  peek(): Expiry | undefined {
    return this.#items[0]
  }

  push(item: Expiry): void {
    const items = this.#items
    let index = items.length
    items.push(item)
    while (index > 0) {
      const parentIndex = (index - 1) >>> 1
      const parent = items[parentIndex]
      if (parent === undefined || parent.at <= item.at) break
      items[index] = parent
      index = parentIndex
    }
    items[index] = item
  }

  pop(): Expiry | undefined {
    const items = this.#items
    const top = items[0]
    const moved = items.pop()
    if (top === undefined || moved === undefined || items.length === 0) return top
    let index = 0
    for (;;) {
      let childIndex = index * 2 + 1
      let child = items[childIndex]
      const right = items[childIndex + 1]
      if (child !== undefined && right !== undefined && right.at < child.at) {
        child = right
        childIndex++
      }
      if (child === undefined || child.at >= moved.at) break
      items[index] = child
      index = childIndex
    }
    items[index] = moved
    return top
  }

  clear(): void {
    this.#items = []
  }
}
