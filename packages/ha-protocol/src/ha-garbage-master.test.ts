import { expect, test } from 'vitest'
import { HA_PORT, Pair, complaints } from './testing/pair.ts'

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

test('an operator who gave the port of another service is asked whether it is that of a master', async () => {
  const pair = new Pair()
  await pair.net
    .host('m')
    .attach()
    .listen({ host: 'm', port: HA_PORT }, (connection) => {
      connection.start({ data() {}, drained() {}, closed() {} })
      connection.write(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'))
    })
  pair.follow(pair.emptyLog())
  await pair.clock.advance(5_000)
  expect(complaints(pair.slaveLogger)).toEqual([
    'violation: a handshake word starts with 0x48: is that the HA port of a master of TandemMQ?',
  ])
})
