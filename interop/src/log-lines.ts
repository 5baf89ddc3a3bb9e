import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { GIVE_UP_MS } from './until.ts'

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

  /** The first line from index `from` on that contains all of `parts`, now or later. Rejects with the last lines if none comes. */
  line(parts: readonly string[], from = 0, giveUpMs = GIVE_UP_MS): Promise<string> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = this.all.slice(from).find((line) => parts.every((part) => line.includes(part)))
        if (found !== undefined) end(() => resolve(found))
      }
      const giveUp = setTimeout(() => {
        end(() =>
          reject(new Error(`no line with ${parts.join(' … ')} in:\n${this.all.slice(-40).join('\n')}`)),
        )
      }, giveUpMs)
      const end = (settle: () => void): void => {
        clearTimeout(giveUp)
        this.#watchers.delete(look)
        settle()
      }
      this.#watchers.add(look)
      look()
    })
  }
}
