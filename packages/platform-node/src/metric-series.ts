import { invariant, type Counter, type Histogram, type Labels } from '@tandemmq/base'
import type { Metric, Sample } from './prometheus-text.ts'

/** The series of one metric, one per combination of label values. */
class Series<Cell> {
  readonly #labelNames: readonly string[]
  readonly #make: () => Cell
  readonly #cells = new Map<string, { readonly labels: Labels | undefined; readonly cell: Cell }>()

  constructor(labelNames: readonly string[], make: () => Cell) {
    this.#labelNames = labelNames
    this.#make = make
    // Without labels there is one series, and it is there before anything has happened.
    if (labelNames.length === 0) this.of(undefined)
  }

  of(labels: Labels | undefined): Cell {
    let key = ''
    for (const name of this.#labelNames) key += `${labels?.[name] ?? ''}\n`
    const known = this.#cells.get(key)
    if (known !== undefined) return known.cell
    const cell = this.#make()
    this.#cells.set(key, { labels, cell })
    return cell
  }

  values(): Iterable<{ readonly labels: Labels | undefined; readonly cell: Cell }> {
    return this.#cells.values()
  }
}

export class CounterMetric implements Counter, Metric {
  readonly type = 'counter'
  readonly name: string
  readonly help: string
  readonly #series: Series<{ value: number }>

  constructor(name: string, help: string, labelNames: readonly string[]) {
    this.name = name
    this.help = help
    this.#series = new Series(labelNames, () => ({ value: 0 }))
  }

  add(amount = 1, labels?: Labels): void {
    invariant(amount >= 0, 'a counter never falls')
    this.#series.of(labels).value += amount
  }

  *samples(): Iterable<Sample> {
    for (const { labels, cell } of this.#series.values()) yield { labels, value: cell.value }
  }
}

interface Distribution {
  /** Observations per bucket, those above the last bound at the end. */
  readonly counts: number[]
  sum: number
}

export class HistogramMetric implements Histogram, Metric {
  readonly type = 'histogram'
  readonly name: string
  readonly help: string
  readonly #bounds: readonly number[]
  readonly #series: Series<Distribution>

  /** @param bounds upper bounds of the buckets, ascending */
  constructor(name: string, help: string, bounds: readonly number[], labelNames: readonly string[]) {
    this.name = name
    this.help = help
    this.#bounds = bounds
    const empty = (): Distribution => ({ counts: Array.from({ length: bounds.length + 1 }, () => 0), sum: 0 })
    this.#series = new Series(labelNames, empty)
  }

  observe(value: number, labels?: Labels): void {
    const distribution = this.#series.of(labels)
    const bucket = this.#bounds.findIndex((bound) => value <= bound)
    const index = bucket === -1 ? this.#bounds.length : bucket
    distribution.counts[index] = (distribution.counts[index] ?? 0) + 1
    distribution.sum += value
  }

  /** Buckets are cumulative: each counts all that is not above its bound. */
  *samples(): Iterable<Sample> {
    for (const { labels, cell } of this.#series.values()) {
      let total = 0
      for (const [index, count] of cell.counts.entries()) {
        total += count
        const le = index < this.#bounds.length ? String(this.#bounds[index]) : '+Inf'
        yield { suffix: '_bucket', labels: { ...labels, le }, value: total }
      }
      yield { suffix: '_sum', labels, value: cell.sum }
      yield { suffix: '_count', labels, value: total }
    }
  }
}
