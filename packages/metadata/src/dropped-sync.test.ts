import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { silentLogger } from '@tandemmq/base'
import { SeededRandom } from '@tandemmq/testkit'
import { expect, test } from 'vitest'
import { MetadataSync, type MetadataSource } from './index.ts'
import { World } from './world.test-data.ts'

/** Its watch goes on for ever. Returns a reference that keeps nothing alive. */
async function followedAndDropped(): Promise<WeakRef<object>> {
  const world = new World()
  const [master, slave] = [await world.store(), await world.store()]
  const { promise: isWatched, resolve: watched } = Promise.withResolvers<void>()
  const source: MetadataSource = {
    pull: async (cursor) => master.changesSince(cursor),
    watch: () => {
      watched()
      return new Promise(() => {})
    },
    handBack: () => Promise.resolve(),
  }
  const ports = { clock: world.clock, random: new SeededRandom(3), logger: silentLogger }
  MetadataSync.start({}, ports, source, slave)
  await isWatched
  return new WeakRef(source)
}

test('one that is dropped without being closed, as with a process that is killed in a simulated life, keeps nothing in memory', async () => {
  const source = await followedAndDropped()
  await new Promise(setImmediate) // What a WeakRef was asked for in this turn stays.
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  expect(source.deref()).toBeUndefined()
})
