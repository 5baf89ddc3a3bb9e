import { expect, test } from 'vitest'
import { PromMeter } from './prom-meter.ts'

test('counters, histograms and observed gauges come out as Prometheus text', async () => {
  const meter = new PromMeter({ process: false })
  const sends = meter.counter('sends_total', 'Sends.', ['result'])
  sends.add(2, { result: 'ok' })
  meter.counter('sends_total', 'Sends.', ['result']).add(1, { result: 'ok' })
  meter.histogram('flush_seconds', 'Flushes.', [0.1, 1]).observe(0.5)
  let lag = 7
  meter.observe('lag_bytes', 'Lag.', ['slave'], () => [{ value: lag, labels: { slave: 'b' } }])
  expect(await meter.text()).toContain('lag_bytes{slave="b"} 7')
  lag = 3
  const text = await meter.text()
  expect(text).toContain('sends_total{result="ok"} 3')
  expect(text).toContain('flush_seconds_bucket{le="0.1"} 0')
  expect(text).toContain('flush_seconds_bucket{le="1"} 1')
  expect(text).toContain('lag_bytes{slave="b"} 3')
})

test('a series that is no longer read disappears; a second observer replaces the first', async () => {
  const meter = new PromMeter({ process: false })
  meter.observe('lag_bytes', 'Lag.', ['slave'], () => [{ value: 1, labels: { slave: 'gone' } }])
  await meter.text()
  meter.observe('lag_bytes', 'Lag.', ['slave'], () => [{ value: 2, labels: { slave: 'here' } }])
  const text = await meter.text()
  expect(text).not.toContain('gone')
  expect(text).toContain('lag_bytes{slave="here"} 2')
})

test('totals are counters that are read when they are asked for; what is always the same stands on every series', async () => {
  const meter = new PromMeter({ process: false, labels: { node_id: 'broker-a' } })
  let stored = 2
  meter.total('stored_total', 'Stored.', ['topic'], () => [{ value: stored, labels: { topic: 't' } }])
  expect(await meter.text()).toContain('stored_total{topic="t",node_id="broker-a"} 2')
  stored = 5
  const text = await meter.text()
  expect(text).toContain('# TYPE stored_total counter')
  expect(text).toContain('stored_total{topic="t",node_id="broker-a"} 5')
})

test('however many series there are, an answer has a bound', async () => {
  const meter = new PromMeter({ process: false })
  const many = Array.from({ length: 10_001 }, (_, i) => ({ value: 1, labels: { topic: `t${i}` } }))
  meter.observe('lag', 'Lag.', ['topic'], () => many)
  expect((await meter.text()).match(/^lag\{/gm)).toHaveLength(10_000)
})

test('two meters do not mix, and the process is described under the usual names', async () => {
  const one = new PromMeter()
  const other = new PromMeter({ process: false })
  one.counter('only_here_total', 'x').add()
  expect(await other.text()).not.toContain('only_here_total')
  const text = await one.text()
  expect(text).toMatch(/process_cpu_seconds_total [\d.]+/)
  expect(text).toMatch(/process_resident_memory_bytes [1-9]\d+/)
})
