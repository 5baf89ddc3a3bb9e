import { RecordingLogger } from '@tandemmq/testkit'
import { expect, test } from 'vitest'
import { LearnedRoster } from './learned-roster.ts'

/** A roster in memory whose writes fail as often as told. */
class Store {
  readonly roster: string[] = []
  failures = 0

  async addToRoster(name: string): Promise<void> {
    await Promise.resolve()
    if (this.failures-- > 0) throw new Error('the disk is full')
    if (!this.roster.includes(name)) this.roster.push(name)
  }

  async removeFromRoster(name: string): Promise<void> {
    await Promise.resolve()
    this.roster.splice(this.roster.indexOf(name), 1)
  }
}

function learned() {
  const [store, logger] = [new Store(), new RecordingLogger()]
  return { store, logger, roster: new LearnedRoster(store, 'slave-1', logger) }
}

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

test('what a master tells is kept, the slave itself left out, and only what is forgotten by name goes', async () => {
  const { store, roster } = learned()
  roster.learn(['master', 'slave-1', 'slave-2'])
  roster.learn(['master'])
  roster.forget(['slave-2', 'slave-1'])
  roster.learn(['master', 'slave-3'])
  await settled()
  expect(store.roster).toEqual(['master', 'slave-3'])
})

test('what could not be written is written when it is told again', async () => {
  const { store, roster, logger } = learned()
  store.failures = 1
  roster.learn(['master', 'slave-2'])
  await settled()
  expect(store.roster).toEqual([])
  expect(logger.messages('warn')).toHaveLength(1)
  roster.learn(['master', 'slave-2'])
  await settled()
  expect(store.roster).toEqual(['master', 'slave-2'])
})

test('a master that names ever more replicas costs no more than 256, and one line of log', async () => {
  const { store, roster, logger } = learned()
  for (let round = 0; round < 4; round += 1)
    roster.learn(Array.from({ length: 200 }, (_, index) => `replica-${round}-${index}`))
  await settled()
  expect(store.roster.length).toBeLessThanOrEqual(256)
  for (let round = 4; round < 40; round += 1) {
    roster.learn(Array.from({ length: 200 }, (_, index) => `replica-${round}-${index}`))
    await settled()
  }
  expect(store.roster).toHaveLength(256)
  expect(logger.messages('warn')).toHaveLength(1)
})
