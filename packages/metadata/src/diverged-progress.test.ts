import type { RecordStamp } from '@tandemmq/codec'
import { expect, test } from 'vitest'
import type { HeldPart, LogKnowledge, MetadataStore } from './index.ts'
import { World, acked, delivery, key } from './world.test-data.ts'

const queueOf = (store: MetadataStore) => store.progress.queue('G', 'Orders', 0)

/** Queue offsets 0 and 1 lie in epoch 1; from 2 on epoch 2 has taken their place. */
class CutLog implements LogKnowledge {
  isCut = false
  /** The cut was below the begin of epoch 2, and what lies between is still to be copied. */
  isBehind = false

  knowsStamp({ logEpoch, physicalOffset }: RecordStamp): boolean | 'later' {
    if (!this.isCut) return logEpoch === 1
    return ofSuccessor({ logEpoch, physicalOffset })
  }

  held(_topic: string, _queueId: number, logEpoch: number): HeldPart {
    return { end: logEpoch === 1 ? 2 : 10, mayGrow: this.isBehind }
  }
}

test('what was known of records that another epoch has taken from the log does not count for those that take their offsets (rule 5.2)', async () => {
  const log = new CutLog()
  const world = new World()
  const deposed = await world.store({}, log)
  const successor = await world.store({}, { knowsStamp: ofSuccessor })
  const lost = [0, 1, 2, 3, 4].map((offset) => acked(offset))
  deposed.commit({ kind: 'ack', ...key, records: lost })
  log.isCut = true
  expect(deposed.lineageChanged()).toBe(1)
  expect(queueOf(deposed).floor).toBe(2)
  expect(deposed.lineageChanged()).toBe(0)

  // A later message is acknowledged at the successor; those before it are not.
  successor.commit({ kind: 'ack', ...key, records: [acked(5, 2)] })
  deposed.applyRemote(successor.changesSince(deposed.followed))
  successor.merge(deposed.snapshot())
  expect(queueOf(successor).candidate(0, 6, world.clock.monotonic())).toBe(2)
})

test('leases of such records are forgotten too, and what is whole stays', async () => {
  const log = new CutLog()
  const store = await new World().store({}, log)
  store.commit({ kind: 'ack', ...key, records: [acked(0)] })
  store.commit({ kind: 'lease', ...key, servingEpoch: 1, deliveries: [delivery(3)] })
  expect(store.lineageChanged()).toBe(0)
  log.isCut = true
  expect(store.lineageChanged()).toBe(1)
  expect([queueOf(store).floor, queueOf(store).inFlight]).toEqual([1, 0])
})

test('nothing is forgotten before the log has come to the begin of the new epoch, for it may hold what lies below that again (rule 5.2)', async () => {
  const log = new CutLog()
  const store = await new World().store({}, log)
  store.commit({ kind: 'ack', ...key, records: [0, 1, 2, 3].map((offset) => acked(offset)) })
  log.isCut = true
  log.isBehind = true
  expect(store.lineageChanged()).toBe(0)
  store.logAdvanced()
  expect(queueOf(store).floor).toBe(4)
  log.isBehind = false
  store.logAdvanced()
  expect(queueOf(store).floor).toBe(2)
})

test('nor because of an epoch that is none of its own, while records of an older one are still to come', async () => {
  const log = new CutLog()
  const store = await new World().store({}, log)
  store.commit({ kind: 'ack', ...key, records: [acked(0), acked(1), acked(2, 9)] })
  log.knowsStamp = ({ logEpoch, physicalOffset }) =>
    logEpoch === 9 ? false : physicalOffset < 100 ? true : 'later'
  log.held = (_topic, _queueId, logEpoch) => ({ end: logEpoch === 9 ? 0 : 1, mayGrow: false })
  store.lineageChanged()
  expect(queueOf(store).floor).toBe(3)
  log.knowsStamp = ({ logEpoch }) => logEpoch === 1
  store.logAdvanced()
  expect(queueOf(store).floor).toBe(2)
})

function ofSuccessor({ logEpoch, physicalOffset }: RecordStamp): boolean {
  return physicalOffset < 200 ? logEpoch === 1 : logEpoch === 2
}
