import type { ConsumeQueueFiles } from './consume-queue-files.ts'

/** Lies beside a queue's directory while that is removed; Apache passes over what is no number. */
const MARK = '.taken-over'

/**
 * Ordinary queues that batch queues have taken over. Their files stay until all of the batch queues is on disk, and then a mark says so before the first of
 * them goes: a crash leaves the one or the other whole, and it is known which.
 */
export class RetiredQueues {
  readonly #files: ConsumeQueueFiles
  readonly #directories = new Set<string>()

  constructor(files: ConsumeQueueFiles) {
    this.#files = files
  }

  add(directory: string): void {
    if (this.#files.exists(directory)) this.#directories.add(directory)
  }

  /** Removes what a crash has left in a topic's directory of queues that are taken over; returns which of the `names` in it are left. */
  finish(topicDirectory: string, names: readonly string[]): readonly string[] {
    const marks = names.filter((name) => name.endsWith(MARK))
    if (marks.length === 0) return names
    for (const mark of marks) {
      this.#files.removeAll(`${topicDirectory}/${mark.slice(0, -MARK.length)}`)
      this.#files.removeEmpty(`${topicDirectory}/${mark}`)
    }
    return this.#files.list(topicDirectory)
  }

  forget(): void {
    this.#directories.clear()
  }

  /** Those that were added before the call: what took them over is on disk. `sync` brings changes of names to disk. */
  async remove(directories: readonly string[], sync: () => Promise<void>): Promise<void> {
    if (directories.length === 0) return
    for (const directory of directories) this.#files.createEmpty(directory + MARK)
    await sync()
    for (const directory of directories) this.#files.removeAll(directory)
    await sync()
    for (const directory of directories) {
      this.#files.removeEmpty(directory + MARK)
      this.#directories.delete(directory)
    }
    await sync()
  }

  get directories(): readonly string[] {
    return [...this.#directories]
  }
}
