import { Counter as PromCounter, Gauge, Histogram as PromHistogram, Registry } from 'prom-client'
import { invariant, type Counter, type Histogram, type Meter, type Reading } from '@tandemmq/base'
import { observeProcess } from './process-metrics.ts'

/**
 * Prometheus behind the {@link Meter} port, with a registry of its own: two brokers in one process do not mix.
 * A name that is asked for twice gives the same series, so that a part which is closed and opened again goes on counting.
 */
export class PromMeter implements Meter {
  readonly #registry = new Registry()
  readonly #counters = new Map<string, Counter>()
  readonly #histograms = new Map<string, Histogram>()
  readonly #readers = new Map<string, () => readonly Reading[]>()

  /** `process`: also say what this process costs (CPU, memory, event loop). */
  constructor(options: { readonly process?: boolean } = {}) {
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
    const isNew = !this.#readers.has(name)
    this.#readers.set(name, read)
    if (!isNew) return
    const readers = this.#readers
    const gauge: Gauge = new Gauge({
      name,
      help,
      labelNames,
      registers: [this.#registry],
      collect() {
        gauge.reset()
        const readNow = readers.get(name)
        invariant(readNow !== undefined, 'an observed gauge has a reader')
        for (const { value, labels } of readNow()) {
          if (labels === undefined) gauge.set(value)
          else gauge.set(labels, value)
        }
      },
    })
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
