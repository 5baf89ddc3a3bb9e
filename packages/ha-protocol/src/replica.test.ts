import { expect, test } from 'vitest'
import { Replica } from './replica.ts'

const MIB = 1024 * 1024
const limits = { silenceMs: 3_000, gapBytesMax: 256 * MIB, slaveTimeoutMs: 3_000 }

const holder = { remote: '10.0.0.2:1', probe: () => {}, evict: () => {}, rival: () => {} }

/** A replica that has everything up to `end`, copied as small records with a round trip of 50 ms each. */
function afterSmallRecords() {
  const peer = { identity: 'broker-a-1', instanceId: 'i' }
  const replica = new Replica(peer, holder, { from: 0, now: 0 }, () => {})
  replica.enrolled()
  let end = 0
  let now = 0
  for (let n = 0; n < 100; n += 1) {
    end += 300
    replica.sentUpTo(end, now)
    now += 50
    replica.reported(end, now)
  }
  return { replica, end, now }
}

test('a large message on its way does not make a replica unknown whose small ones have measured only the round trip', () => {
  const { replica, end, now } = afterSmallRecords()
  replica.sentUpTo(end + 4 * MIB, now)
  expect(replica.isKnown(end + 4 * MIB, now + 10, limits)).toBe(true)
})

test('a replica that is behind by more than it copies in time is not known, nor one behind by the configured gap (rule 2.8)', () => {
  const { replica, end, now } = afterSmallRecords()
  expect(replica.isKnown(end + 16 * MIB, now, limits)).toBe(false)
  expect(replica.isKnown(end + 4 * MIB, now, { ...limits, gapBytesMax: 2 * MIB })).toBe(false)
})

test('known is who was counted, is heard, and can write (rule 2.8)', () => {
  const { replica, end, now } = afterSmallRecords()
  expect(replica.isKnown(end, now, limits)).toBe(true)
  expect(replica.isKnown(end, now + 2_999, limits)).toBe(true)
  expect(replica.isKnown(end, now + 3_000, limits)).toBe(false)
  replica.noted({ flushed: end }, now + 2_500)
  expect(replica.isKnown(end, now + 5_000, limits)).toBe(true)
  replica.noted({ writable: false, problem: 'EIO' }, now + 5_000)
  expect(replica.isKnown(end, now + 5_000, limits)).toBe(false)
  expect(replica.status(end, now + 5_000, limits)).toMatchObject({ writable: false, problem: 'EIO' })
  replica.noted({ writable: true }, now + 5_000)
  expect(replica.isKnown(end, now + 5_000, limits)).toBe(true)

  const fresh = new Replica({ identity: 'x', instanceId: 'i' }, holder, { from: 0, now }, () => {})
  fresh.reported(0, now)
  expect(fresh.isKnown(0, now, limits)).toBe(false)
  fresh.enrolled()
  expect(fresh.isKnown(0, now, limits)).toBe(true)
})
