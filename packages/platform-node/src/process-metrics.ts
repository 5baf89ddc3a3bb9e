import { Counter, Gauge, type Registry } from 'prom-client'

/**
 * What this process costs, under the names Prometheus uses everywhere. Everything is read when it is scraped. Not taken:
 * the default collection of prom-client, whose event-loop monitor wakes an idle process a hundred times a second.
 */
export function observeProcess(registry: Registry): void {
  const startedAt = Date.now() / 1_000 - process.uptime()
  const cpu = new Counter({
    name: 'process_cpu_seconds_total',
    help: 'User and system CPU time spent, in seconds.',
    registers: [],
    collect() {
      const { user, system } = process.cpuUsage()
      this.reset()
      this.inc((user + system) / 1_000_000)
    },
  })
  registry.registerMetric(cpu)
  const gauges: readonly (readonly [name: string, help: string, read: () => number])[] = [
    ['process_start_time_seconds', 'Start of the process, in seconds since the Unix epoch.', () => startedAt],
    ['process_resident_memory_bytes', 'Resident memory, in bytes.', () => process.memoryUsage.rss()],
    [
      'nodejs_heap_size_used_bytes',
      'JavaScript heap in use, in bytes.',
      () => process.memoryUsage().heapUsed,
    ],
    ['nodejs_external_memory_bytes', 'Memory of buffers, in bytes.', () => process.memoryUsage().external],
    [
      'nodejs_eventloop_utilization',
      'Share of its life that the event loop was busy, from 0 to 1.',
      () => performance.eventLoopUtilization().utilization,
    ],
  ]
  for (const [name, help, read] of gauges) {
    const gauge = new Gauge({
      name,
      help,
      registers: [],
      collect() {
        this.set(read())
      },
    })
    registry.registerMetric(gauge)
  }
}
