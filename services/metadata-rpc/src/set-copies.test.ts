import { silentMeter } from '@tandemmq/base'
import type { ServingView, SetServing } from '@tandemmq/registry'
import { RecordingLogger, SeededRandom, SimulatedClock, SimulatedFiles } from '@tandemmq/testkit'
import { expect, test, vi } from 'vitest'
import { SetCopies } from './set-copies.ts'
import { SetCopy } from './set-copy.ts'

const nobody: ServingView = { sets: [], set: () => undefined, onChange: () => () => {} }

const metadataSource = (): never => {
  throw new Error('nobody is followed here')
}

test('what is no copy of a set is left alone, a damaged one is put aside, and one that found no room is opened later', async () => {
  const clock = new SimulatedClock()
  const random = new SeededRandom(1)
  const files = new SimulatedFiles({ clock, random })
  const logger = new RecordingLogger()
  for (const set of ['broker-a', 'broker-b', '.hidden', 'x'.repeat(200)])
    files.makeDirectory(`/data/sets/${set}`)
  files.makeDirectory('/data/sets/broker-a/journal')
  const journal = files.open('/data/sets/broker-a/journal/progress.journal', 'create')
  journal.write(Buffer.from('garbage'), 0)
  journal.close()
  files.fail({ call: 'write', code: 'ENOSPC', matching: /broker-b/ })

  const ports = { files, clock, random, logger, meter: silentMeter }
  const copies = await clock.outcome(SetCopies.open('/data', nobody, { ...ports, metadataSource }))
  expect([...copies].map(({ set }) => set)).toEqual(['broker-a'])
  expect(files.list('/data/damaged').map((name) => name.split('-').slice(0, 2).join('-'))).toEqual([
    'broker-a',
  ])
  expect(logger.messages('warn')).toContain('there is something among the copies of sets that is none')
  await clock.advance(6_000)
  expect([...copies].map(({ set }) => set)).toEqual(['broker-a', 'broker-b'])
  expect(files.list('/data/sets')).toHaveLength(4)
  await clock.outcome(copies[Symbol.asyncDispose]())
})

test('a set that is heard of while its copy is being opened gets no second copy on the same files', async () => {
  const clock = new SimulatedClock()
  const random = new SeededRandom(1)
  const files = new SimulatedFiles({ clock, random }).mount()
  files.makeDirectory('/data/sets/broker-a')
  const listeners: ((changed: SetServing) => void)[] = []
  const view: ServingView = {
    ...nobody,
    onChange: (listener) => {
      listeners.push(listener)
      return () => {}
    },
  }
  const open = vi.spyOn(SetCopy, 'open')
  const ports = { files, clock, random, logger: new RecordingLogger(), meter: silentMeter, metadataSource }
  const opening = SetCopies.open('/data', view, ports)
  for (const hear of listeners) hear({ cluster: 'DefaultCluster', set: 'broker-a', members: [] })
  const copies = await clock.outcome(opening)
  await clock.settle()
  expect([...copies].map(({ set }) => set)).toEqual(['broker-a'])
  expect(open).toHaveBeenCalledTimes(1)
})
