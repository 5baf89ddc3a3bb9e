import { randomBytes } from 'node:crypto'
import { converse } from './connection-attacks.ts'
import type { PortAttack } from './port-attack.ts'
import { RawPeer } from './raw-peer.ts'

/** A word of the handshake: `0xc0 + n`, then n bytes of payload, padded to seven. */
function words(payload: Buffer): Buffer {
  const all: Buffer[] = []
  for (let at = 0; at < payload.length; at += 7) {
    const piece = payload.subarray(at, at + 7)
    all.push(Buffer.concat([Buffer.from([0xc0 + piece.length]), piece, Buffer.alloc(7 - piece.length)]))
  }
  return Buffer.concat(all)
}

/** The head of a handshake message: its kind (1 is a slave's hello) and the length of what follows. */
function head(kind: number, length: number): Buffer {
  const bytes = Buffer.alloc(5)
  bytes.writeUInt8(kind, 0)
  bytes.writeUInt32BE(length >>> 0, 1)
  return bytes
}

function int64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(value)
  return bytes
}

export const haProtocol = {
  opening: words(head(1, 200)),
  unfinished: words(Buffer.concat([head(1, 200), randomBytes(100)])),
  silentMax: 64,
}

/** What a slave would never say. */
export const haAttacks: readonly PortAttack[] = [
  said('a hello of 2 GiB', words(Buffer.concat([head(1, 0x7fffffff), randomBytes(100)]))),
  said('a hello of -1 bytes', words(Buffer.concat([head(1, -1), randomBytes(100)]))),
  said('a hello of garbage', words(Buffer.concat([head(1, 200), randomBytes(200)]))),
  said('an empty hello', words(head(1, 0))),
  said("a master's hello", words(Buffer.concat([head(2, 100), randomBytes(100)]))),
  said('a proof before the hello', words(Buffer.concat([head(3, 32), randomBytes(32)]))),
  said('a report of a classic slave', int64(0n)),
  said('a report beyond the end of the log', int64(2n ** 62n)),
  said('a report of -1', int64(-1n)),
  said('a report of -2^63', int64(-(2n ** 63n))),
  said('a TLS handshake', Buffer.concat([Buffer.from([0x16, 3, 1, 2, 0, 1]), randomBytes(511)])),
  said('HTTP/1.1', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')),
  {
    attack: 'words without end',
    expected: 'closed, one line',
    tells: 'no slave',
    run: async (address) => {
      using peer = new RawPeer(address)
      await peer.connected()
      const done = await peer.repeat(1_000, () => Buffer.alloc(64 * 1024, 0xc7))
      await peer.mustClose()
      return `cut after ${done} writes of 64 KiB`
    },
  },
  {
    attack: '2,000 hellos of garbage, one after the other',
    expected: 'closed; not one line for each',
    run: async (address) => {
      const garbage = words(Buffer.concat([head(1, 200), randomBytes(200)]))
      for (let turn = 0; turn < 100; turn++) {
        await Promise.all(Array.from({ length: 20 }, () => converse(address, garbage)))
      }
      return '2,000 connections'
    },
  },
]

function said(attack: string, bytes: Buffer): PortAttack {
  return {
    attack,
    expected: 'closed',
    run: async (address) => {
      await converse(address, bytes)
      return ''
    },
  }
}
