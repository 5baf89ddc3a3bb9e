import { expect, test } from 'vitest'
import { Replica } from './replica.ts'

const MIB = 1024 * 1024
const limits = { silenceMs: 3_000, gapBytesMax: 256 * MIB, slaveTimeoutMs: 3_000 }

const holder = { remote: '10.0.0.2:1', probe: () => {}, evict: () => {}, rival: () => {} }

/** A replica that has everything up to `end`, copied as small records with a round trip of 50 ms each. */
function afterSmallRecords() {
  const peer = { identity: 'broker-a-1', instanceId: 'i' }
  const replica = new Replica(peer, holder, { from: 0, now: 0, skewMs: 0 }, () => {})
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

test('a replica that is behind by more than it copies in time is not known, nor one behind by the configured gap', () => {
  const { replica, end, now } = afterSmallRecords()
  expect(replica.isKnown(end + 16 * MIB, now, limits)).toBe(false)
  expect(replica.isKnown(end + 4 * MIB, now, { ...limits, gapBytesMax: 2 * MIB })).toBe(false)
})
