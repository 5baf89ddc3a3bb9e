import { rocketmq } from '@tandemmq/rpc'
import { describe, expect, test } from 'vitest'
import { FakeCluster } from './cluster.test-support.ts'

const { Code } = rocketmq

/** One set, served and written by its master. */
function oneSet() {
  const cluster = new FakeCluster(['Orders'])
  const master = cluster.add('master', 'broker-a')
  const slave = cluster.add('slave', 'broker-a')
  cluster.says('broker-a', { serving: [10, 'master'], writable: 'master' })
  return { cluster, clock: cluster.clock, master, slave }
}

/** Two sets, each with one broker. */
function twoSets() {
  const cluster = new FakeCluster(['Orders'])
  const a = cluster.add('a', 'broker-a')
  const b = cluster.add('b', 'broker-b')
  cluster.says('broker-a', { serving: [10, 'a'], writable: 'a' })
  cluster.says('broker-b', { serving: [20, 'b'], writable: 'b' })
  return { cluster, clock: cluster.clock, a, b }
}

function ackRequest(...receiptHandles: (string | undefined)[]): Uint8Array {
  return rocketmq.AckMessageRequest.encode({
    group: { resourceNamespace: '', name: 'group' },
    topic: { resourceNamespace: '', name: 'Orders' },
    entries: receiptHandles.map((handle, index) => ({ messageId: `m${index}`, receiptHandle: handle ?? '' })),
  }).finish()
}

async function acked(cluster: FakeCluster, ...handles: (string | undefined)[]) {
  const { replies } = await cluster.call('AckMessage', ackRequest(...handles))
  return rocketmq.AckMessageResponse.decode(replies[0] ?? new Uint8Array())
}

describe('consumers', () => {
  test('a poll goes to the holder, stamped with its epoch, and ends with what comes', async () => {
    const { cluster, clock, master } = oneSet()
    const poll = cluster.receive('Orders')
    await clock.advance(5_000)
    await clock.outcome(cluster.send('Orders'))
    const { code, messages, frames } = await clock.outcome(poll)
    expect(code).toBe(Code.OK)
    expect(messages).toHaveLength(1)
    expect(frames.map((frame) => frame?.$case)).toEqual(['status', 'message', 'deliveryTimestamp'])
    expect(master.api.contexts.at(0)?.servingEpoch).toBe(10)
  })

  test('a poll that finds nothing lasts the whole polling time', async () => {
    const { cluster, clock } = oneSet()
    const { code, atMs } = await clock.outcome(cluster.receive('Orders'))
    expect(code).toBe(Code.MESSAGE_NOT_FOUND)
    expect(atMs).toBeGreaterThanOrEqual(20_000)
    expect(atMs).toBeLessThan(20_100)
  })

  test('when the token moves during a poll, the poll goes on with the new holder and the client sees nothing of it', async () => {
    const { cluster, clock, master, slave } = oneSet()
    const poll = cluster.receive('Orders')
    await clock.advance(3_000)
    expect([master.api.polls, slave.api.polls]).toEqual([1, 0])
    cluster.says('broker-a', { serving: [11, 'slave'] })
    await clock.advance(100)
    expect([master.api.polls, slave.api.polls]).toEqual([0, 1])
    await slave.api.send(message('from the slave'), slave.api.contexts[0] ?? never())
    const { code, messages } = await clock.outcome(poll)
    expect(code).toBe(Code.OK)
    expect(messages.map(({ body }) => Buffer.from(body).toString())).toEqual(['from the slave'])
  })

  test('when the holder dies, the poll waits for the next one', async () => {
    const { cluster, clock, master, slave } = oneSet()
    const poll = cluster.receive('Orders')
    await clock.advance(1_000)
    master.lose()
    cluster.channelChanged('master')
    await clock.advance(1_500)
    cluster.says('broker-a', { serving: [11, 'slave'] })
    await clock.advance(10)
    expect(slave.api.polls).toBe(1)
    const { code, atMs } = await clock.outcome(poll)
    expect(code).toBe(Code.MESSAGE_NOT_FOUND)
    expect(atMs).toBeLessThan(23_000)
  })

  test('a holder that is stopped and wakes up late changes nothing: its answer is discarded (rule 4.3)', async () => {
    const { cluster, clock, master, slave } = oneSet()
    await clock.outcome(cluster.send('Orders'))
    master.isSilent = true
    const poll = cluster.receive('Orders')
    await clock.advance(2_000)
    cluster.says('broker-a', { serving: [11, 'slave'] })
    await clock.advance(100)
    master.isSilent = false
    expect(slave.api.polls).toBe(1)
    await clock.advance(1_000)
    await slave.api.send(message('new'), slave.api.contexts[0] ?? never())
    const { messages } = await clock.outcome(poll)
    expect(messages.map(({ body }) => Buffer.from(body).toString())).toEqual(['new'])
  })

  test('an answer in whose turn a newer epoch becomes known is discarded', async () => {
    const { cluster, clock, master, slave } = oneSet()
    await clock.outcome(cluster.send('Orders'))
    const poll = cluster.receive('Orders')
    master.answered = () => cluster.says('broker-a', { serving: [11, 'slave'] })
    await clock.advance(10)
    expect(master.api.contexts).toHaveLength(2)
    expect(slave.api.polls).toBe(1)
    slave.api.endPolls()
    const { code, messages } = await clock.outcome(poll)
    expect([code, messages]).toEqual([Code.MESSAGE_NOT_FOUND, []])
  })

  test('a holder that has not heard of its grant yet is asked again until it has', async () => {
    const { cluster, clock, slave } = oneSet()
    cluster.says('broker-a', { serving: [11, 'slave'] })
    slave.api.servingEpoch = undefined
    const poll = cluster.receive('Orders')
    await clock.advance(400)
    expect(slave.methods.length).toBeGreaterThan(2)
    expect(slave.methods.length).toBeLessThan(12)
    slave.api.servingEpoch = 11
    await clock.advance(100)
    expect(slave.api.polls).toBe(1)
    slave.api.endPolls()
    expect((await clock.outcome(poll)).code).toBe(Code.MESSAGE_NOT_FOUND)
  })

  test('where nobody serves for the whole polling time, the client is told so and may try again', async () => {
    const { cluster, clock } = oneSet()
    cluster.says('broker-a', {})
    const { code, atMs } = await clock.outcome(cluster.receive('Orders'))
    expect(code).toBe(Code.HA_NOT_AVAILABLE)
    expect(atMs).toBeGreaterThanOrEqual(20_000)
  })

  test('an acknowledgement reaches the new holder although the old one died with it', async () => {
    const { cluster, clock, master, slave } = oneSet()
    await clock.outcome(cluster.send('Orders'))
    const { messages } = await clock.outcome(cluster.receive('Orders'))
    master.isSilent = true
    const ack = acked(cluster, messages[0]?.systemProperties?.receiptHandle)
    await clock.advance(1_000)
    master.lose()
    cluster.says('broker-a', { serving: [11, 'slave'] })
    const response = await clock.outcome(ack)
    expect(response.status?.code).toBe(Code.OK)
    expect(response.entries).toHaveLength(1)
    expect(slave.api.acked).toHaveLength(1)
  })

  test('an acknowledgement without answer ends before its client gives up', async () => {
    const { cluster, clock, master } = oneSet()
    await clock.outcome(cluster.send('Orders'))
    const { messages } = await clock.outcome(cluster.receive('Orders'))
    master.isSilent = true
    const began = clock.monotonic()
    const response = await clock.outcome(acked(cluster, messages[0]?.systemProperties?.receiptHandle))
    expect(clock.monotonic() - began).toBeLessThan(3_000)
    expect(response.status?.code).toBe(Code.PROXY_TIMEOUT)
    expect(response.entries).toHaveLength(1)
  })

  test('handles of two sets in one acknowledgement go each to its own, results keep their order', async () => {
    const { cluster, clock, a, b } = twoSets()
    await clock.outcome(cluster.send('Orders'))
    await clock.outcome(cluster.send('Orders'))
    const fromA = await clock.outcome(cluster.receive('Orders', { broker: 'broker-a' }))
    const fromB = await clock.outcome(cluster.receive('Orders', { broker: 'broker-b' }))
    const handleOf = ({ messages }: typeof fromA) => messages[0]?.systemProperties?.receiptHandle
    const response = await clock.outcome(acked(cluster, handleOf(fromB), 'broken', handleOf(fromA)))
    expect(response.status?.code).toBe(Code.MULTIPLE_RESULTS)
    expect(response.entries.map(({ status }) => status?.code)).toEqual([
      Code.OK,
      Code.INVALID_RECEIPT_HANDLE,
      Code.OK,
    ])
    expect([a.api.acked.length, b.api.acked.length]).toEqual([1, 1])
  })

  test('a broken handle is refused with the code that stops a push consumer', async () => {
    const { cluster, clock } = oneSet()
    const request = rocketmq.ChangeInvisibleDurationRequest.encode({
      group: { resourceNamespace: '', name: 'group' },
      topic: { resourceNamespace: '', name: 'Orders' },
      receiptHandle: 'broken',
      invisibleDuration: { seconds: 10, nanos: 0 },
      messageId: 'm',
    }).finish()
    const { replies } = await clock.outcome(cluster.call('ChangeInvisibleDuration', request))
    const response = rocketmq.ChangeInvisibleDurationResponse.decode(replies[0] ?? new Uint8Array())
    expect(response).toEqual({
      status: { code: Code.INVALID_RECEIPT_HANDLE, message: expect.stringContaining('cannot be used') },
      receiptHandle: 'broken',
    })
  })

  test('with several sets a poll goes to the one it names, to another while that has no holder, and back', async () => {
    const { cluster, clock, a, b } = twoSets()
    const poll = cluster.receive('Orders', { broker: 'broker-b' })
    await clock.advance(10)
    expect([a.api.polls, b.api.polls]).toEqual([0, 1])
    b.lose()
    cluster.says('broker-b', {})
    await clock.advance(100)
    expect([a.api.polls, b.api.polls]).toEqual([1, 1])
    b.isOpen = true
    b.api.endPolls()
    cluster.says('broker-b', { serving: [21, 'b'], writable: 'b' })
    await clock.advance(10)
    expect([a.api.polls, b.api.polls]).toEqual([0, 1])
    b.api.endPolls()
    expect((await clock.outcome(poll)).code).toBe(Code.MESSAGE_NOT_FOUND)
  })

  test('messages on another set do not wait until the poll of an empty one is over', async () => {
    const { cluster, clock } = twoSets()
    cluster.says('broker-a', { serving: [10, 'a'] })
    await clock.outcome(cluster.send('Orders'))
    cluster.says('broker-a', { serving: [10, 'a'], writable: 'a' })
    const sentAt = clock.monotonic()
    const { code, messages } = await clock.outcome(cluster.receive('Orders', { broker: 'broker-a' }))
    expect(code).toBe(Code.OK)
    expect(messages).toHaveLength(1)
    expect(clock.monotonic() - sentAt).toBeLessThan(100)
  })

  test('a set whose master is away is not the one that is waited on', async () => {
    const { cluster, clock, a, b } = twoSets()
    cluster.says('broker-a', { serving: [10, 'a'] })
    const poll = cluster.receive('Orders', { broker: 'broker-a' })
    await clock.advance(50)
    expect([a.api.polls, b.api.polls]).toEqual([0, 1])
    b.api.endPolls()
    expect((await clock.outcome(poll)).code).toBe(Code.MESSAGE_NOT_FOUND)
  })

  test('a poll whose client has left is cancelled at the broker', async () => {
    const { cluster, clock, master } = oneSet()
    const client = new AbortController()
    const poll = cluster.receive('Orders', { signal: client.signal })
    await clock.advance(1_000)
    client.abort()
    await clock.outcome(poll)
    expect(master.api.polls).toBe(0)
  })
})

describe('sends', () => {
  test('what has left is never sent again: its fate is unknown, and the client may decide (rule 6.1)', async () => {
    const { cluster, clock, master } = oneSet()
    master.loses = 'after leaving'
    const { response } = await clock.outcome(cluster.send('Orders'))
    expect(response.status?.code).toBe(Code.PROXY_TIMEOUT)
    expect(master.methods).toEqual(['SendMessage'])
    expect(master.api.sent).toHaveLength(1)
  })

  test('a master that falls silent is answered for before the client gives up', async () => {
    const { cluster, clock, master } = oneSet()
    master.isSilent = true
    const { response, atMs } = await clock.outcome(cluster.send('Orders'))
    expect(response.status?.code).toBe(Code.PROXY_TIMEOUT)
    expect(response.status?.message).toContain('may have been stored')
    expect(atMs).toBeLessThan(3_000)
    expect(master.methods).toEqual(['SendMessage'])
  })

  test('a send waits for a master that is back within two seconds', async () => {
    const { cluster, clock, master } = oneSet()
    cluster.says('broker-a', { serving: [11, 'slave'] })
    const sending = cluster.send('Orders')
    await clock.advance(1_500)
    expect(master.methods).toEqual([])
    cluster.says('broker-a', { serving: [12, 'master'], writable: 'master' })
    const { response } = await clock.outcome(sending)
    expect(response.entries[0]?.status?.code).toBe(Code.OK)
    expect(master.methods).toEqual(['SendMessage'])
  })

  test('after two seconds without a master the client hears that nothing was stored', async () => {
    const { cluster, clock, slave } = oneSet()
    cluster.says('broker-a', { serving: [11, 'slave'] })
    const { response, atMs } = await clock.outcome(cluster.send('Orders'))
    expect(response.status?.code).toBe(Code.HA_NOT_AVAILABLE)
    expect(response.status?.message).toContain('nothing was stored')
    expect(atMs).toBe(2_000)
    expect(slave.methods).toEqual([])
  })

  test('a channel that breaks before the send has left is not the end of it', async () => {
    const { cluster, clock, master } = oneSet()
    master.loses = 'before leaving'
    const sending = cluster.send('Orders')
    await clock.advance(500)
    master.loses = undefined
    const { response } = await clock.outcome(sending)
    expect(response.entries[0]?.status?.code).toBe(Code.OK)
  })

  test('no more than 16 MiB wait for a master', async () => {
    const { cluster, clock } = oneSet()
    cluster.says('broker-a', {})
    const body = Buffer.alloc(4_000_000, 1)
    const waiting = Array.from({ length: 4 }, () => cluster.send('Orders', { body }))
    await clock.advance(1)
    const { response, atMs } = await clock.outcome(cluster.send('Orders', { body }))
    expect(response.status?.code).toBe(Code.TOO_MANY_REQUESTS)
    expect(atMs).toBe(1)
    await clock.outcome(Promise.all(waiting))
    expect((await clock.outcome(cluster.send('Orders', { body }))).response.status?.code).toBe(
      Code.HA_NOT_AVAILABLE,
    )
  })

  test('sends without a message group spread over the sets, and all go to the other when one is away', async () => {
    const { cluster, clock, a, b } = twoSets()
    for (let count = 0; count < 10; count += 1) await clock.outcome(cluster.send('Orders'))
    expect([a.api.sent.length, b.api.sent.length]).toEqual([5, 5])
    a.lose()
    cluster.says('broker-a', {})
    const began = clock.monotonic()
    for (let count = 0; count < 4; count += 1) await clock.outcome(cluster.send('Orders'))
    expect(b.api.sent).toHaveLength(9)
    expect(clock.monotonic() - began).toBeLessThan(20)
  })

  test('a message group stays on its set, and waits for it', async () => {
    const { cluster, clock, a, b } = twoSets()
    for (let count = 0; count < 6; count += 1)
      await clock.outcome(cluster.send('Orders', { group: 'customer-7' }))
    const home = a.api.sent.length === 6 ? 'a' : 'b'
    expect(new Set([a.api.sent.length, b.api.sent.length])).toEqual(new Set([0, 6]))
    cluster.says(home === 'a' ? 'broker-a' : 'broker-b', {})
    const { response, atMs } = await clock.outcome(cluster.send('Orders', { group: 'customer-7' }))
    expect(response.status?.code).toBe(Code.HA_NOT_AVAILABLE)
    expect(atMs).toBeGreaterThanOrEqual(2_000)
  })

  test('illegal requests do not reach a broker', async () => {
    const { cluster, clock, master } = oneSet()
    const { response } = await clock.outcome(cluster.send('bad topic!'))
    expect(response.status?.code).toBe(Code.ILLEGAL_TOPIC)
    const empty = await clock.outcome(cluster.call('SendMessage', new Uint8Array()))
    expect(rocketmq.SendMessageResponse.decode(empty.replies[0] ?? new Uint8Array()).status?.code).toBe(
      Code.MESSAGE_CORRUPTED,
    )
    const garbage = await clock.outcome(cluster.call('SendMessage', Buffer.from('ffffffff', 'hex')))
    expect(rocketmq.SendMessageResponse.decode(garbage.replies[0] ?? new Uint8Array()).status?.code).toBe(
      Code.BAD_REQUEST,
    )
    expect(master.methods).toEqual([])
  })
})

test('holders are told which push consumers live and which are gone', async () => {
  const { cluster, clock, a, b } = twoSets()
  cluster.gateway.presence.seen('client@1', 'group')
  await clock.advance(10)
  expect([a.methods, b.methods]).toEqual([['Heartbeat'], ['Heartbeat']])
  cluster.gateway.presence.gone('client@1', 'group')
  await clock.advance(10)
  expect([a.api.goneClients, b.api.goneClients]).toEqual([['group/client@1'], ['group/client@1']])
})

function message(text: string) {
  return {
    topic: 'Orders',
    messageId: text,
    type: 'NORMAL' as const,
    body: Buffer.from(text),
    keys: [],
    userProperties: new Map<string, string>(),
    bornTimestamp: 0,
    bornHost: { ip: '10.0.0.1', port: 1 },
    compressed: false,
  }
}

function never(): never {
  throw new Error('no call has arrived')
}
