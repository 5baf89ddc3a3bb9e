import { expect, test } from 'vitest'
import { HA_PORT, Pair } from './testing/pair.ts'

test('a slave meets garbage instead of a master: no crash, no append, and it keeps trying', async () => {
  const pair = new Pair(9)
  const log = pair.emptyLog()
  let calls = 0
  await pair.net
    .host('m')
    .attach()
    .listen({ host: 'm', port: HA_PORT }, (connection) => {
      calls += 1
      connection.start({ data() {}, drained() {}, closed() {} })
      if (calls > 1) connection.write(pair.random.bytes(1 + pair.random.below(400)))
    })
  const slave = pair.follow(log)
  await pair.clock.advance(60_000)
  expect(calls).toBeGreaterThan(10)
  expect([log.end, slave.masterConnected]).toEqual([0, false])
})
