import type { Labels } from '@tandemmq/base'

/** One line of a metric: a series and its value now. */
export interface Sample {
  readonly value: number
  readonly labels?: Labels | undefined
  /** Behind the metric's name: `_bucket`, `_sum` and `_count` of a histogram. */
  readonly suffix?: string
}

export interface Metric {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  /** Read at each scrape. */
  samples(): Iterable<Sample>
}

export const PROMETHEUS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** Prometheus' text format, version 0.0.4. */
export function prometheusText(metrics: Iterable<Metric>): string {
  const lines: string[] = []
  for (const metric of metrics) {
    const { name, help, type } = metric
    lines.push(`# HELP ${name} ${escaped(help)}`, `# TYPE ${name} ${type}`)
    for (const { value, labels, suffix = '' } of metric.samples()) {
      lines.push(`${name}${suffix}${labelText(labels)} ${numberText(value)}`)
    }
  }
  return `${lines.join('\n')}\n`
}

function labelText(labels: Labels = {}): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name}="${escaped(value).replaceAll('"', '\\"')}"`,
  )
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}

function numberText(value: number): string {
  return Math.abs(value) === Infinity ? (value > 0 ? '+Inf' : '-Inf') : String(value)
}
