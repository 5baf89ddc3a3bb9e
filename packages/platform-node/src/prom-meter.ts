import type { Counter, Histogram, Meter, Reading } from '@tandemmq/base'
import { CounterMetric, HistogramMetric } from './metric-series.ts'
import { processMetrics } from './process-metrics.ts'
import { PROMETHEUS_CONTENT_TYPE, prometheusText, type Metric } from './prometheus-text.ts'

/**
 * Prometheus behind the {@link Meter} port: two brokers in one process do not mix. Counting is an addition; text is made when somebody asks.
 * A name that is asked for twice gives the same series, so that a part which is closed and opened again goes on counting.
 *
 * Not prom-client: with the tracing library it pulls in, it was a sixth of the modules that each service loaded.
 */
export class PromMeter implements Meter {
  /** The content type of {@link text}. */
  readonly contentType = PROMETHEUS_CONTENT_TYPE
  readonly #counters = new Map<string, CounterMetric>()
  readonly #histograms = new Map<string, HistogramMetric>()
  readonly #observed = new Map<string, Metric>()

  /** `process`: also say what this process costs (CPU, memory, event loop). */
  constructor(options: { readonly process?: boolean } = {}) {
    if (options.process ?? true)
      for (const metric of processMetrics()) this.#observed.set(metric.name, metric)
  }

  counter(name: string, help: string, labelNames: readonly string[] = []): Counter {
    const known = this.#counters.get(name)
    if (known !== undefined) return known
    const counter = new CounterMetric(name, help, labelNames)
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
    const histogram = new HistogramMetric(name, help, buckets, labelNames)
    this.#histograms.set(name, histogram)
    return histogram
  }

  /** A second observer of a name replaces the first. */
  observe(name: string, help: string, _labelNames: readonly string[], read: () => readonly Reading[]): void {
    this.#observed.set(name, { name, help, type: 'gauge', samples: read })
  }

  /** What `/metrics` answers. */
  text(): string {
    return prometheusText([
      ...this.#counters.values(),
      ...this.#histograms.values(),
      ...this.#observed.values(),
    ])
  }
}
