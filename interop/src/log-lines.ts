import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

/** What processes have printed, as lines; others can wait for one. */
export class LogLines {
  readonly all: string[] = []
  readonly #watchers = new Set<() => void>()

  /** Takes every line of `stream`, with `prefix` before it. */
  follow(stream: Readable, prefix = ''): void {
    createInterface({ input: stream }).on('line', (line) => {
      this.all.push(`${prefix}${line}`)
      for (const watcher of this.#watchers) watcher()
    })
  }

  /** The lines that contain all of `parts`. */
  having(...parts: readonly string[]): readonly string[] {
    return this.all.filter((line) => parts.every((part) => line.includes(part)))
  }

  /** The first line from index `from` on that contains all of `parts`, now or later. */
  line(parts: readonly string[], from = 0): Promise<string> {
    return new Promise((resolve) => {
      const look = (): void => {
        const found = this.all.slice(from).find((line) => parts.every((part) => line.includes(part)))
        if (found === undefined) return
        this.#watchers.delete(look)
        resolve(found)
      }
      this.#watchers.add(look)
      look()
    })
  }
}
