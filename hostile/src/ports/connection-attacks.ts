import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { PortAttack } from './port-attack.ts'
import { RawPeer, within } from './raw-peer.ts'

/** What a protocol begins with, so that attacks come further than the first byte. */
export interface Protocol {
  /** A valid beginning. */
  readonly opening: Buffer
  /** A valid beginning of a request that never ends. */
  readonly unfinished: Buffer
  /** Connections without a session that the service bears at one time; the oldest makes room. */
  readonly silentMax: number
}

/** A new connection makes room for itself at once, and a busy service comes to it within this. */
const ROOM_MADE_MS = 4_000
/** No service waits longer than 10 s for a beginning; the rest is for a busy machine. */
const BEGINNING_MS = 20_000

/** What can be done to any TCP port, whatever it speaks. */
export function connectionAttacks(
  { opening, unfinished, silentMax }: Protocol,
  limits: { readonly connections: number; readonly closedWithinMs: number },
): readonly PortAttack[] {
  const { connections, closedWithinMs } = limits
  return [
    {
      attack: 'random bytes',
      expected: 'closed',
      run: async (address) => {
        for (let turn = 0; turn < 50; turn++) await converse(address, randomBytes(64 * 1024))
        return '50 connections'
      },
    },
    {
      attack: 'a valid beginning, then garbage',
      expected: 'closed',
      run: async (address) => {
        for (let turn = 0; turn < 50; turn++) {
          await converse(address, Buffer.concat([opening, randomBytes(16 * 1024)]))
        }
        return '50 connections'
      },
    },
    {
      attack: 'every beginning of a valid opening, then the end',
      expected: 'closed',
      run: async (address) => {
        for (let length = 0; length <= unfinished.length; length += Math.ceil(unfinished.length / 50)) {
          await converse(address, unfinished.subarray(0, length))
        }
        return '50 connections'
      },
    },
    {
      attack: `${connections.toLocaleString('en')} connections that say nothing`,
      expected: `at most ${silentMax} are borne at a time, all are closed in time`,
      run: async (address) => {
        const peers = await RawPeer.open(address, connections)
        await within(ROOM_MADE_MS, allBut(silentMax, peers))
        const turnedAway = peers.filter(({ isClosed }) => isClosed).length
        if (turnedAway < connections - silentMax) throw new Error(`only ${turnedAway} were turned away`)
        const startedAt = performance.now()
        await Promise.all(peers.map((peer) => peer.mustClose(closedWithinMs)))
        return `${turnedAway} turned away at once, the rest closed after ${seconds(startedAt)}`
      },
    },
    {
      attack: 'one byte a second',
      expected: 'closed after a bounded time',
      run: async (address) => {
        const startedAt = performance.now()
        await Promise.all([drip(address, opening, closedWithinMs), drip(address, unfinished, closedWithinMs)])
        return `closed after ${seconds(startedAt)}`
      },
    },
    {
      attack: 'a request that never ends, and half of a beginning',
      expected: 'closed after a bounded time',
      run: async (address) => {
        const peers = await RawPeer.open(address, 100)
        const startedAt = performance.now()
        using beginner = new RawPeer(address)
        await beginner.connected()
        await beginner.say(opening.subarray(0, 10))
        await Promise.all(peers.map((peer) => peer.say(unfinished)))
        await beginner.mustClose(BEGINNING_MS)
        const beginning = seconds(startedAt)
        await Promise.all(peers.map((peer) => peer.mustClose(closedWithinMs)))
        return `100 connections closed after ${seconds(startedAt)}, half of a beginning after ${beginning}`
      },
    },
    {
      attack: 'half-open: the peer ends its half and stays',
      expected: 'closed',
      run: async (address) => {
        const peers = await RawPeer.open(address, 100)
        const startedAt = performance.now()
        for (const peer of peers) {
          await peer.say(opening)
          peer.endHalf()
        }
        await Promise.all(peers.map((peer) => peer.mustClose(closedWithinMs)))
        return `100 connections closed after ${seconds(startedAt)}`
      },
    },
    {
      attack: 'connections that are reset in the middle',
      expected: 'nothing is left of them',
      run: async (address) => {
        for (let turn = 0; turn < 20; turn++) {
          const peers = await RawPeer.open(address, 50)
          await Promise.all(peers.map((peer) => peer.say(unfinished)))
          for (const peer of peers) peer[Symbol.dispose]()
          await Promise.all(peers.map(({ closed }) => closed))
        }
        return '1,000 connections'
      },
    },
  ]
}

/** Says it, ends its half and waits for the end; a peer that does not end in time is left. */
export async function converse(address: string, bytes: Buffer): Promise<void> {
  using peer = new RawPeer(address)
  await peer.connected()
  await peer.say(bytes)
  peer.endHalf()
  await peer.mustClose()
}

async function drip(address: string, bytes: Buffer, withinMs: number): Promise<void> {
  using peer = new RawPeer(address)
  await peer.connected()
  const lateAt = performance.now() + withinMs
  for (const byte of bytes) {
    if (peer.isClosed) return
    if (performance.now() > lateAt) throw new Error(`the connection still stands after ${withinMs} ms`)
    await peer.say(Buffer.from([byte]))
    await Promise.race([pause(1_000), peer.closed])
  }
  await peer.mustClose(Math.max(1, Math.ceil(lateAt - performance.now())))
}

/** Resolves when no more than `left` of them still stand. */
function allBut(left: number, peers: readonly RawPeer[]): Promise<void> {
  let standing = peers.length
  return new Promise((resolve) => {
    for (const { closed } of peers) {
      void closed.then(() => {
        standing -= 1
        if (standing <= left) resolve()
      })
    }
  })
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1_000).toFixed(1)} s`
}
