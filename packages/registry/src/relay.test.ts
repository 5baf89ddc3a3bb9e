import { expect, test } from 'vitest'
import { TokenCluster } from './token-cluster.test-support.ts'

/** A master, a slave and a relay, up to the moment at which all goes well. */
async function cluster(): Promise<TokenCluster> {
  const all = new TokenCluster()
  all.join('master', 'master')
  all.join('slave', 'slave')
  all.relay('relay')
  await all.time.advance(3000)
  return all
}

function lines(all: TokenCluster): string {
  return `\n${all.lines.join('\n')}\n`
}

async function watched(all: TokenCluster, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 10) {
    await all.time.advance(10)
    all.check()
    all.checkRelays()
  }
}

test('the master is killed: the slave serves as soon as the relay has let go, not at the end of the lease (rule 4.2)', async () => {
  const all = await cluster()
  all.members.get('master')?.kill()
  await watched(all, 1000)
  expect(lines(all)).toMatchInlineSnapshot(`
    "
        2 master serves under #1
        2 relay goes to master
     3002 relay goes to nobody any more
     3004 slave serves under #2
     3004 relay goes to slave
    "
  `)
})

test('a relay that stands still is waited for until what it was told is over', async () => {
  const all = await cluster()
  all.relays.get('relay')?.clock.freeze()
  await watched(all, 500)
  all.members.get('master')?.cutOff()
  await watched(all, 4000)
  expect(lines(all)).toMatchInlineSnapshot(`
    "
        2 master serves under #1
        2 relay goes to master
     4802 master stops
     5002 slave serves under #2
    "
  `)
})

test('a relay that was cut off is waited for just as long, and then only a promise counts for it', async () => {
  const all = await cluster()
  all.relays.get('relay')?.cutOff()
  await watched(all, 100)
  all.members.get('master')?.cutOff()
  await watched(all, 4000)
  expect(lines(all)).toMatchInlineSnapshot(`
    "
        2 master serves under #1
        2 relay goes to master
     4300 relay goes to master on promise
     4802 master stops
     5002 slave serves under #2
    "
  `)
})

test('a relay that was cut off long ago is not waited for: it asks for a promise that the old holder does not have', async () => {
  const all = await cluster()
  all.relays.get('relay')?.cutOff()
  await watched(all, 3000)
  all.members.get('master')?.cutOff()
  await watched(all, 4000)
  expect(lines(all)).toMatchInlineSnapshot(`
    "
        2 master serves under #1
        2 relay goes to master
     4300 relay goes to master on promise
     6002 slave serves under #2
     7302 master stops
    "
  `)
})

test('a grantor that has just started does not know which relays go by what the one before it granted', async () => {
  const all = await cluster()
  all.relays.get('relay')?.cutOff()
  all.restartRegistry()
  await watched(all, 300)
  all.members.get('master')?.cutOff()
  await watched(all, 4000)
  expect(lines(all)).toMatchInlineSnapshot(`
    "
        2 master serves under #1
        2 relay goes to master
     4300 relay goes to master on promise
     4801 master stops
     5001 slave serves under #2
    "
  `)
})

test('the grantor restarts: the relay goes on with what it knows (rule 4.8)', async () => {
  const all = await cluster()
  all.restartRegistry()
  await watched(all, 3000)
  expect(lines(all)).toMatchInlineSnapshot(`
    "
        2 master serves under #1
        2 relay goes to master
    "
  `)
  expect(all.relays.get('relay')?.relay.trouble).toBe(undefined)
})

test('the grantor stands still: the relay stays with a master that serves on by promise (rule 4.6)', async () => {
  const all = await cluster()
  all.registryClock.freeze()
  await watched(all, 1500)
  all.answeredByRelay.clear()
  await watched(all, 2500)
  expect([...all.answeredByRelay]).toEqual(['on promise'])
  expect(all.relays.get('relay')?.relay.view.set('broker-a')).toMatchObject({
    writable: { identity: 'master' },
  })
  all.registryClock.thaw()
  await watched(all, 4000)
  expect(lines(all)).toMatchInlineSnapshot(`
    "
        2 master serves under #1
        2 relay goes to master
     4300 relay goes to master on promise
     7001 master serves under #2
     7001 relay goes to master
    "
  `)
})
