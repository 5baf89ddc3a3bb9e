import { expect, test } from 'vitest'
import { PromMeter } from './prom-meter.ts'

test('counters, histograms and observed gauges come out as Prometheus text', () => {
  const meter = new PromMeter({ process: false })
  const sends = meter.counter('sends_total', 'Sends.', ['result'])
  sends.add(2, { result: 'ok' })
  meter.counter('sends_total', 'Sends.', ['result']).add(1, { result: 'ok' })
  meter.histogram('flush_seconds', 'Flushes.', [0.1, 1]).observe(0.5)
  let lag = 7
  meter.observe('lag_bytes', 'Lag.', ['slave'], () => [{ value: lag, labels: { slave: 'b' } }])
  expect(meter.text()).toContain('lag_bytes{slave="b"} 7')
  lag = 3
  const text = meter.text()
  expect(text).toContain('sends_total{result="ok"} 3')
  expect(text).toContain('flush_seconds_bucket{le="0.1"} 0')
  expect(text).toContain('flush_seconds_bucket{le="1"} 1')
  expect(text).toContain('flush_seconds_bucket{le="+Inf"} 1\nflush_seconds_sum 0.5\nflush_seconds_count 1\n')
  expect(text).toContain('lag_bytes{slave="b"} 3')
})

test('what has not happened yet is 0 where there are no labels; text that would end a line is escaped', () => {
  const meter = new PromMeter({ process: false })
  meter.counter('fences_total', 'Never\nyet.')
  meter.counter('sends_total', 'Sends.', ['topic']).add(1, { topic: 'a"\\\n' })
  expect(meter.text()).toBe(
    [
      '# HELP fences_total Never\\nyet.\n# TYPE fences_total counter\nfences_total 0\n',
      '# HELP sends_total Sends.\n# TYPE sends_total counter\nsends_total{topic="a\\"\\\\\\n"} 1\n',
    ].join(''),
  )
})

test('a series that is no longer read disappears; a second observer replaces the first', () => {
  const meter = new PromMeter({ process: false })
  meter.observe('lag_bytes', 'Lag.', ['slave'], () => [{ value: 1, labels: { slave: 'gone' } }])
  meter.text()
  meter.observe('lag_bytes', 'Lag.', ['slave'], () => [{ value: 2, labels: { slave: 'here' } }])
  const text = meter.text()
  expect(text).not.toContain('gone')
  expect(text).toContain('lag_bytes{slave="here"} 2')
})

test('two meters do not mix, and the process is described under the usual names', () => {
  const one = new PromMeter()
  const other = new PromMeter({ process: false })
  one.counter('only_here_total', 'x').add()
  expect(other.text()).not.toContain('only_here_total')
  const text = one.text()
  expect(text).toMatch(/process_cpu_seconds_total [\d.]+/)
  expect(text).toMatch(/process_resident_memory_bytes [1-9]\d+/)
})
