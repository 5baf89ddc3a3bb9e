import type { Metric } from './prometheus-text.ts'

/** What this process costs, under the names Prometheus uses everywhere. Everything is read when it is scraped: nothing wakes an idle process. */
export function processMetrics(): readonly Metric[] {
  const startedAt = Date.now() / 1_000 - process.uptime()
  const rows: readonly (readonly [
    type: 'counter' | 'gauge',
    name: string,
    help: string,
    read: () => number,
  ])[] = [
    ['counter', 'process_cpu_seconds_total', 'User and system CPU time spent, in seconds.', cpuSeconds],
    [
      'gauge',
      'process_start_time_seconds',
      'Start of the process, in seconds since the Unix epoch.',
      () => startedAt,
    ],
    ['gauge', 'process_resident_memory_bytes', 'Resident memory, in bytes.', () => process.memoryUsage.rss()],
    [
      'gauge',
      'nodejs_heap_size_used_bytes',
      'JavaScript heap in use, in bytes.',
      () => process.memoryUsage().heapUsed,
    ],
    [
      'gauge',
      'nodejs_external_memory_bytes',
      'Memory of buffers, in bytes.',
      () => process.memoryUsage().external,
    ],
    [
      'gauge',
      'nodejs_eventloop_utilization',
      'Share of its life that the event loop was busy, from 0 to 1.',
      () => performance.eventLoopUtilization().utilization,
    ],
  ]
  return rows.map(([type, name, help, read]) => ({ type, name, help, samples: () => [{ value: read() }] }))
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000_000
}
