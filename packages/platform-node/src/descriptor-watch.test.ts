import type { Facts, Logger } from '@tandemmq/base'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { DescriptorWatch } from './descriptor-watch.ts'
import { NodeClock } from './node-clock.ts'
import { PromMeter } from './prom-meter.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

function watched() {
  const told: { readonly facts: Facts; readonly message: string }[] = []
  const write = (facts: Facts, message: string): void => void told.push({ facts, message })
  const logger: Logger = { debug: write, info: write, warn: write, error: write }
  const meter = new PromMeter({ process: false })
  const system = { isOut: false, code: 'EMFILE' }
  const watch = new DescriptorWatch({ clock: new NodeClock(), logger, meter }, () => {
    if (system.isOut)
      throw Object.assign(new Error(`${system.code}: too many open files`), { code: system.code })
  })
  return { told, meter, system, watch }
}

test('that descriptors have run out is told once, and once when it is over', async () => {
  const { told, meter, system } = watched()
  vi.advanceTimersByTime(5_000)
  expect(told).toEqual([])
  system.isOut = true
  vi.advanceTimersByTime(10_000)
  expect(told.map(({ message }) => message)).toEqual([expect.stringMatching(/^no file descriptor is left/)])
  system.isOut = false
  vi.advanceTimersByTime(10_000)
  expect(told.slice(1)).toEqual([
    expect.objectContaining({
      facts: { afterMs: 10_000 },
      message: expect.stringMatching(/^there are file descriptors again/),
    }),
  ])
  expect(await meter.text()).toContain('rocketmq_ha_descriptors_exhausted_total 1')
})

test('a want that comes and goes is told ten times a minute, and counted each time', async () => {
  const { told, meter, system } = watched()
  for (let turn = 0; turn < 20; turn += 1) {
    system.isOut = true
    vi.advanceTimersByTime(1_000)
    system.isOut = false
    vi.advanceTimersByTime(1_000)
  }
  expect(told).toHaveLength(20)
  expect(await meter.text()).toContain('rocketmq_ha_descriptors_exhausted_total 20')
})

test('another failure of the system is not taken for a want of descriptors', () => {
  const { told, system } = watched()
  system.code = 'EACCES'
  system.isOut = true
  vi.advanceTimersByTime(5_000)
  expect(told).toEqual([])
})

test('a watch that is disposed looks no more', () => {
  const { told, system, watch } = watched()
  watch[Symbol.dispose]()
  system.isOut = true
  vi.advanceTimersByTime(5_000)
  expect(told).toEqual([])
})
