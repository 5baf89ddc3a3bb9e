import type { LogOffset } from '@tandemmq/base'

interface Sample {
  /** What lies from here on was written at {@link at} or later. */
  readonly from: LogOffset
  readonly at: number
}

const SAMPLES_MAX = 1_024
/** Two samples may lie as far apart as this share of their age: so a few hundred reach back for years. */
const COARSENESS = 1 / 16
/** Appends closer together than this share a sample. */
const RESOLUTION_MS = 10

/**
 * Remembers roughly when which part of a log came to be, so that a lag can be told in time without reading records. What it says is at
 * most a sixteenth more than the truth, however long the log has been written.
 */
export class WriteTimes {
  #samples: Sample[]

  /** What is there already, below `end`, was written at `now` at the latest: a lag in it is told as less than it is. */
  constructor(end: LogOffset, now: number) {
    this.#samples = end > 0 ? [{ from: 0, at: now }] : []
  }

  /** Bytes from `from` on have just been written. */
  wrote(from: LogOffset, now: number): void {
    // The log was cut: what stood above is gone.
    while ((this.#samples.at(-1)?.from ?? -1) > from) this.#samples.pop()
    const last = this.#samples.at(-1)
    if (last !== undefined && now - last.at < RESOLUTION_MS) return
    this.#samples.push({ from, at: now })
    if (this.#samples.length > SAMPLES_MAX) this.#samples = thinned(this.#samples, now)
  }

  /** The age of the first byte that a replica at `position` lacks, ms; 0: it lacks none of the log that ends at `end`. */
  lagMs(position: LogOffset, end: LogOffset, now: number): number {
    if (position >= end) return 0
    return Math.max(0, now - (this.#lastUpTo(position)?.at ?? now))
  }

  #lastUpTo(position: LogOffset): Sample | undefined {
    let [low, high] = [0, this.#samples.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#samples[middle]?.from ?? 0) <= position) low = middle + 1
      else high = middle
    }
    return this.#samples[low - 1]
  }
}

/** From the oldest on, leaves out what the sample before it can stand for. */
function thinned(samples: readonly Sample[], now: number): Sample[] {
  const kept: Sample[] = []
  for (const [index, sample] of samples.entries()) {
    const before = kept.at(-1)
    const after = samples[index + 1]
    const isNeeded =
      before === undefined || after === undefined || after.at - before.at > (now - after.at) * COARSENESS
    if (isNeeded) kept.push(sample)
  }
  return kept
}
