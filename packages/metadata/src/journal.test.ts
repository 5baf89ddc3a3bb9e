import { SeededRandom } from '@tandemmq/testkit'
import { expect, test } from 'vitest'
import { topicConfig, type MetadataStore } from './index.ts'
import { World, acked, delivery, key } from './world.test-data.ts'

const JOURNAL = '/data/journal/progress.journal'

test('what was committed survives the process, what was synced survives the machine: 120 histories of four lives', async () => {
  for (let seed = 0; seed < 120; seed++) {
    const world = new World(seed)
    const random = new SeededRandom(seed)
    // Small enough that the journal is compacted again and again.
    const journal = { compactBytes: 600 }
    let promised = 0
    let next = 0
    for (let life = 0; life < 4; life++) {
      const store = await world.process({ journal })
      const queue = store.progress.queue('G', 'Orders', 0)
      expect(queue.floor, `seed ${seed}, life ${life}`).toBeGreaterThanOrEqual(promised)
      next = queue.floor
      for (let count = random.below(40); count > 0; count--) {
        store.commit({ kind: 'ack', ...key, records: [acked(next)] })
        next++
        // Often less than a sync takes, so that commits fall into one.
        if (random.chance(1, 3)) await world.clock.advance(random.below(random.chance(1, 2) ? 3 : 150))
        if (random.chance(1, 4)) {
          const upTo = next
          store.synced().then(
            () => {
              promised = Math.max(promised, upTo)
            },
            () => undefined,
          )
        }
      }
      await world.clock.settle()
      if (random.chance(1, 2)) world.disk.crash()
      else {
        world.disk.kill()
        promised = next
      }
    }
  }
})

test('a commit is on disk within 200 ms, by a timer that is armed only then (rule 5.1)', async () => {
  const world = new World()
  const store = await world.process()
  await world.clock.advance(20_000)
  expect(world.clock.pending).toBe(0)
  store.commit({ kind: 'ack', ...key, records: [acked(0)] })
  await world.clock.advance(200)
  world.disk.crash()
  expect((await world.process()).progress.queue('G', 'Orders', 0).floor).toBe(1)
})

test('everything comes back: topics, deletions, groups, leases with what is left of them, resets, delay', async () => {
  const world = new World()
  const first = await world.process()
  first.commit({
    kind: 'topic-put',
    topic: topicConfig({ name: 'Orders', type: 'DELAY', attributes: new Map([['a', 'b']]) }),
  })
  first.commit({ kind: 'topic-put', topic: topicConfig({ name: 'Gone' }) })
  first.commit({ kind: 'topic-delete', name: 'Gone' })
  first.commit({ kind: 'reset', ...key, to: 3, generation: { servingEpoch: 9, counter: 1 } })
  first.commit({ kind: 'lease', ...key, servingEpoch: 9, deliveries: [delivery(4, 2, world.clock.now())] })
  first.commit({ kind: 'delay', done: [acked(0), acked(7)] })
  await world.clock.advance(4_000)
  expect(remaining(first)).toBe(6_000)
  const version = first.cursor
  world.disk.kill()
  const second = await world.process()
  // The start took its time: leases go on by the wall clock.
  expect(remaining(second)).toBeLessThan(6_000)
  expect(settled(second)).toEqual(settled(first))
  expect(second.topics.deletionOf('Gone')).toBeDefined()
  expect(second.progress.queue('G', 'Orders', 0).lease(4)?.attempts).toBe(2)
  expect([second.delay.floor, second.delay.isDone(7), second.delay.nextUndone(0)]).toEqual([1, true, 1])
  expect(second.cursor.processEpoch).toBeGreaterThan(version.processEpoch)
  // A second life from the compacted snapshot alone.
  world.disk.kill()
  expect(settled(await world.process())).toEqual(settled(first))
})

async function filled(world: World): Promise<MetadataStore> {
  const store = await world.process()
  for (let offset = 0; offset < 50; offset++) {
    store.commit({ kind: 'ack', ...key, records: [acked(offset)] })
    if (offset % 10 === 9) await world.clock.advance(200)
  }
  return store
}

test('damage in the middle stops the start and names file and place; a torn tail does not', async () => {
  const world = new World()
  await filled(world)
  world.disk.kill()
  const size = world.text(JOURNAL).length
  world.disk.corrupt(JOURNAL, size - 20, Buffer.from('torn'))
  const second = await world.process()
  expect(second.progress.queue('G', 'Orders', 0).floor).toBe(49)
  world.disk.kill()

  const other = new World()
  await filled(other)
  other.disk.kill()
  other.disk.corrupt(JOURNAL, 700, Buffer.from([0xff, 0xff]))
  await expect(other.process()).rejects.toMatchObject({
    code: 'STATE_FILE_CORRUPT',
    facts: { file: JOURNAL, at: expect.any(Number) },
  })
  await expect(other.process()).rejects.toThrow(/damaged at byte \d+/)
})

test('after a clean stop, damage is noticed in every byte before the witness', async () => {
  const world = new World()
  const store = await filled(world)
  await world.clock.outcome(store.close())
  const bytes = readBytes(world)
  // The witness itself is 24 bytes; nothing testifies for it.
  for (let at = 0; at < bytes.length - 24; at += 7) {
    const byte = bytes[at] ?? 0
    world.disk.corrupt(JOURNAL, at, Buffer.from([byte ^ 0x20]))
    await expect(world.process(), `byte ${at}`).rejects.toMatchObject({ code: 'STATE_FILE_CORRUPT' })
    world.disk.corrupt(JOURNAL, at, Buffer.from([byte]))
  }
  expect((await world.process()).progress.queue('G', 'Orders', 0).floor).toBe(50)
})

test('a full journal hands out nothing new, takes acknowledgements, and opens again after compaction', async () => {
  const world = new World()
  const store = await world.process({ journal: { limitBytes: 3_000, compactBytes: 2_000 } })
  // The new file cannot be begun: the old one has to grow.
  world.disk.fail({ call: 'open', code: 'EMFILE', matching: /\.tmp$/, forever: true })
  for (let offset = 0; !store.journalFull; offset++)
    store.commit({ kind: 'ack', ...key, records: [acked(offset)] })
  expect(() => store.commit({ kind: 'lease', ...key, servingEpoch: 1, deliveries: [delivery(900)] })).toThrow(
    expect.objectContaining({ code: 'SYSTEM_BUSY' }),
  )
  expect(store.progress.queue('G', 'Orders', 0).lease(900)).toBeUndefined()
  store.commit({ kind: 'ack', ...key, records: [acked(800)] })
  expect(store.progress.queue('G', 'Orders', 0).isAcked(800)).toBe(true)
  await world.clock.advance(1_000)
  expect(store.journalFull).toBe(true)
  world.disk.kill()
  const again = await world.process({ journal: { limitBytes: 3_000, compactBytes: 2_000 } })
  expect(again.journalFull).toBe(false)
  expect(again.progress.queue('G', 'Orders', 0).isAcked(800)).toBe(true)
})

test('a full disk refuses the commit and changes nothing; a failed sync ends all commits', async () => {
  const world = new World()
  const store = await world.process()
  const commit = (offset: number) => () => store.commit({ kind: 'ack', ...key, records: [acked(offset)] })
  commit(0)()
  world.disk.fail({ call: 'write', code: 'ENOSPC', matching: /journal/ })
  expect(commit(1)).toThrow(expect.objectContaining({ code: 'DISK_FULL' }))
  expect(store.progress.queue('G', 'Orders', 0).floor).toBe(1)
  commit(1)()
  await world.clock.outcome(store.synced())
  world.disk.fail({ call: 'dataSync', code: 'EIO', matching: /journal/ })
  commit(2)()
  await expect(world.clock.outcome(store.synced())).rejects.toMatchObject({ code: 'LOG_FENCED' })
  expect(commit(3)).toThrow(expect.objectContaining({ code: 'LOG_FENCED' }))
  expect(store.failure?.code).toBe('LOG_FENCED')
  world.disk.crash()
  expect((await world.process()).progress.queue('G', 'Orders', 0).floor).toBeGreaterThanOrEqual(2)
})

function remaining(store: MetadataStore): number | undefined {
  const [state] = store.snapshot().progress ?? []
  return state?.kind === 'progress' ? state.leases[0]?.remainingMs : undefined
}

/** All that is known but how much is left of leases. */
function settled(store: MetadataStore): string {
  return JSON.stringify(store.snapshot(), (name, value: unknown) =>
    name === 'remainingMs' ? 0 : value instanceof Map ? [...value] : value,
  )
}

function readBytes(world: World): Buffer {
  const file = world.disk.open(JOURNAL, 'read')
  const bytes = Buffer.alloc(file.size())
  file.read(bytes, 0)
  return bytes
}
