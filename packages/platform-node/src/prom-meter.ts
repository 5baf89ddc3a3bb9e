import { Counter as PromCounter, Gauge, Histogram as PromHistogram, Registry } from 'prom-client'
import {
  invariant,
  type Counter,
  type Histogram,
  type Labels,
  type Meter,
  type Reading,
} from '@tandemmq/base'
import { observeProcess } from './process-metrics.ts'

export interface PromMeterOptions {
  /** Also say what this process costs (CPU, memory, event loop). Default true. */
  readonly process?: boolean
  /** Every series carries them. */
  readonly labels?: Labels
}

/** Series of one name beyond this are left out of an answer: whatever grows, the answer does not (Apache's `metricsOtelCardinalityLimit`: 50,000). */
const SERIES_MAX = 10_000

/**
 * Prometheus behind the {@link Meter} port, with a registry of its own: two brokers in one process do not mix.
 * A name that is asked for twice gives the same series, so that a part which is closed and opened again goes on counting.
 */
export class PromMeter implements Meter {
  readonly #registry = new Registry()
  readonly #counters = new Map<string, Counter>()
  readonly #histograms = new Map<string, Histogram>()
  readonly #readers = new Map<string, () => readonly Reading[]>()

  constructor(options: PromMeterOptions = {}) {
    this.#registry.setDefaultLabels({ ...options.labels })
    if (options.process ?? true) observeProcess(this.#registry)
  }

  counter(name: string, help: string, labelNames: readonly string[] = []): Counter {
    const known = this.#counters.get(name)
    if (known !== undefined) return known
    const series = new PromCounter({ name, help, labelNames, registers: [this.#registry] })
    const counter: Counter = {
      add: (amount = 1, labels) => (labels === undefined ? series.inc(amount) : series.inc(labels, amount)),
    }
    this.#counters.set(name, counter)
    return counter
  }

  histogram(
    name: string,
    help: string,
    buckets: readonly number[],
    labelNames: readonly string[] = [],
  ): Histogram {
    const known = this.#histograms.get(name)
    if (known !== undefined) return known
    const series = new PromHistogram({
      name,
      help,
      labelNames,
      buckets: [...buckets],
      registers: [this.#registry],
    })
    const histogram: Histogram = {
      observe: (value, labels) =>
        labels === undefined ? series.observe(value) : series.observe(labels, value),
    }
    this.#histograms.set(name, histogram)
    return histogram
  }

  /** A second observer of a name replaces the first. */
  observe(name: string, help: string, labelNames: readonly string[], read: () => readonly Reading[]): void {
    if (!this.#readBy(name, read)) return
    const readers = this.#readers
    const gauge: Gauge = new Gauge({
      name,
      help,
      labelNames,
      registers: [this.#registry],
      collect() {
        gauge.reset()
        for (const { value, labels } of readingsOf(readers, name)) {
          if (labels === undefined) gauge.set(value)
          else gauge.set(labels, value)
        }
      },
    })
  }

  /** As {@link observe}. */
  total(name: string, help: string, labelNames: readonly string[], read: () => readonly Reading[]): void {
    if (!this.#readBy(name, read)) return
    const readers = this.#readers
    const counter: PromCounter = new PromCounter({
      name,
      help,
      labelNames,
      registers: [this.#registry],
      collect() {
        counter.reset()
        for (const { value, labels } of readingsOf(readers, name)) {
          if (labels === undefined) counter.inc(value)
          else counter.inc(labels, value)
        }
      },
    })
  }

  /** False: the name is known, and has a new reader now. */
  #readBy(name: string, read: () => readonly Reading[]): boolean {
    const isNew = !this.#readers.has(name)
    this.#readers.set(name, read)
    return isNew
  }

  /** The content type of {@link text}. */
  get contentType(): string {
    return this.#registry.contentType
  }

  /** What `/metrics` answers. */
  text(): Promise<string> {
    return this.#registry.metrics()
  }
}

function readingsOf(
  readers: ReadonlyMap<string, () => readonly Reading[]>,
  name: string,
): readonly Reading[] {
  const read = readers.get(name)
  invariant(read !== undefined, 'what is observed has a reader')
  return read().slice(0, SERIES_MAX)
}
