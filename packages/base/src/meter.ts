/** Label values of one series, by label name. */
export type Labels = Readonly<Record<string, string>>

export interface Counter {
  /** Adds `amount` (≥ 0, default 1). */
  add(amount?: number, labels?: Labels): void
}

export interface Histogram {
  observe(value: number, labels?: Labels): void
}

/** One series of what is read when it is scraped. */
export interface Reading {
  readonly value: number
  readonly labels?: Labels
}

/**
 * Where numbers for operators go. Names follow Prometheus; labels are declared once. What counts in the path of every message keeps a
 * plain number and shows it with `total`: a labelled {@link Counter} is found anew at every `add`.
 */
export interface Meter {
  counter(name: string, help: string, labelNames?: readonly string[]): Counter
  histogram(name: string, help: string, buckets: readonly number[], labelNames?: readonly string[]): Histogram
  /** A gauge that is read when it is scraped: it costs nothing in between. */
  observe(name: string, help: string, labelNames: readonly string[], read: () => readonly Reading[]): void
  /** A counter that is kept elsewhere and read when it is scraped; each series only grows. */
  total(name: string, help: string, labelNames: readonly string[], read: () => readonly Reading[]): void
}

/** Counts nothing. */
export const silentMeter: Meter = {
  counter: () => ({ add() {} }),
  histogram: () => ({ observe() {} }),
  observe() {},
  total() {},
}
