import type { Clock, LogOffset } from '@tandemmq/base'
import type { ColdBlocks } from './cold-blocks.ts'
import type { PlannedRead } from './read-plan.ts'

/** Of the four threads that Node has for files, one stays free for the sync of the log, which senders wait for. */
const READS_AT_A_TIME = 3
/** Found in memory one after the other, because those before had read it, in one turn: what is done with it takes its time. */
const ANSWERED_A_TURN = 4

interface Job extends PlannedRead {
  readonly done: () => void
}

/**
 * Reads parts of the log into {@link ColdBlocks}, off the event loop: few at a time, in the order in which they were asked for. However many ask,
 * no more than a few reads end in one turn of the loop.
 */
export class ColdReader {
  readonly #blocks: ColdBlocks
  readonly #read: (target: Buffer, offset: LogOffset) => Promise<boolean>
  readonly #clock: Clock
  readonly #waiting = new Set<Job>()
  #reading = 0
  #answered = 0
  #isPausing = false
  #isClosed = false

  /** @param read fills the memory with the log's bytes; false: they are not to be had, or not any more */
  constructor(
    blocks: ColdBlocks,
    read: (target: Buffer, offset: LogOffset) => Promise<boolean>,
    clock: Clock,
  ) {
    this.#blocks = blocks
    this.#read = read
    this.#clock = clock
  }

  /** Resolves when all has been tried; what could not be read is not there then. */
  async warm(reads: readonly PlannedRead[]): Promise<void> {
    const jobs = reads.map(
      (read) =>
        new Promise<void>((resolve) => {
          this.#waiting.add({ ...read, done: resolve })
        }),
    )
    this.#next()
    await Promise.all(jobs)
  }

  /** Whoever waits finds nothing. */
  close(): void {
    this.#isClosed = true
    for (const job of this.#waiting) job.done()
    this.#waiting.clear()
    this.#blocks.clear()
  }

  #next(): void {
    for (const job of this.#waiting) {
      if (this.#reading === READS_AT_A_TIME || this.#isPausing) return
      this.#waiting.delete(job)
      if (this.#blocks.has(job.from, job.to - job.from)) this.#answer(job)
      else void this.#run(job)
    }
  }

  #answer(job: Job): void {
    job.done()
    this.#answered += 1
    if (this.#answered < ANSWERED_A_TURN) return
    this.#isPausing = true
    this.#clock.after(0, () => {
      this.#isPausing = false
      this.#answered = 0
      this.#next()
    })
  }

  async #run({ from, aheadTo, done }: Job): Promise<void> {
    this.#reading += 1
    const room = this.#blocks.room(aheadTo - from)
    const isRead = await this.#read(room, from)
    this.#reading -= 1
    if (isRead && !this.#isClosed) this.#blocks.add(from, room)
    else this.#blocks.giveBack(room)
    this.#answered = 0
    done()
    this.#next()
  }
}
