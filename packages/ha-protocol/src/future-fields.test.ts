import type { Connection } from '@tandemmq/base'
import {
  HA_PROTOCOL_VERSION,
  HandshakeReader,
  UpwardReader,
  appendMac,
  decodeAnswer,
  decodeHello,
  encodeAnswer,
  encodeControl,
  encodeFrameHeader,
  encodeHandshake,
  encodeHello,
  encodeProof,
  encodeReport,
} from '@tandemmq/codec'
import type { Control } from '@tandemmq/codec'
import { expect, test } from 'vitest'
import { proofOf } from './authentication.ts'
import { lineageOf } from './testing/memory-log.ts'
import { HA_PORT, Pair, SECRET, complaints } from './testing/pair.ts'
import { Stranger, strangerHello } from './testing/stranger.ts'

// A peer of a later version: in everything it says is a field that nobody knows today, under the MAC where there is one.

/** Tag 0x7fff, three bytes. */
const UNKNOWN = Buffer.from('7fff0003aabbcc', 'hex')
const LATER = HA_PROTOCOL_VERSION + 1

function withUnknown(fields: Buffer): Buffer {
  return Buffer.concat([UNKNOWN, fields, Buffer.from('7ffe0000', 'hex')])
}

function controlOf(control: Control): Buffer {
  return withUnknown(encodeControl(control))
}

test('a slave of a later version is accepted, and what it says is understood, whatever else is in it', async () => {
  const pair = new Pair()
  pair.masterLog.write(pair.random.bytes(100))
  const master = await pair.listen()
  const slave = await Stranger.call(pair)
  const signed = withUnknown(encodeHello({ ...strangerHello, protocolVersion: LATER }))
  slave.say(encodeHandshake('slave-hello', signed))
  await pair.clock.advance(10)
  const theirs = decodeHello(slave.message().body)
  const mac = proofOf(SECRET, 'slave', signed, theirs.signed)
  slave.say(encodeHandshake('proof', withUnknown(encodeProof({ mac }))))
  await pair.clock.advance(10)
  expect(decodeAnswer(slave.message().body).kind).toBe('accept')
  const body = controlOf({ flushed: 7, dispatched: 3, writable: true })
  slave.say(encodeReport(0), encodeReport(-body.length), body)
  await pair.clock.advance(10)
  slave.say(encodeReport(100), encodeReport(-UNKNOWN.length), UNKNOWN)
  await pair.clock.advance(10)
  expect(master.slaves()).toMatchObject([{ state: 'in sync', received: 100, flushed: 7, dispatched: 3 }])
  expect([master.replicated.at, complaints(pair.masterLogger)]).toEqual([100, []])
})

test('a master of a later version is followed, and what it says is understood, whatever else is in it', async () => {
  const pair = new Pair()
  const log = pair.emptyLog()
  const heard: unknown[] = []
  const reader = new UpwardReader()
  let handshake = new HandshakeReader()
  let isStreaming = false
  const hello = { ...strangerHello, role: 'master' as const, identity: 'later', protocolVersion: LATER }
  const ours = withUnknown(encodeHello(hello))
  const answer = {
    kind: 'accept',
    at: 0,
    flushRequired: false,
    counted: true,
    lineage: lineageOf({ 1: 0 }),
  } as const
  const hear = (connection: Connection, chunk: Buffer): void => {
    if (isStreaming) {
      reader.feed(chunk)
      for (let unit = reader.next(); unit !== undefined; unit = reader.next()) heard.push(unit)
      return
    }
    const taken = handshake.push(chunk)
    if (taken === undefined) return
    handshake = new HandshakeReader()
    isStreaming = taken.message.kind === 'proof'
    if (isStreaming) {
      connection.write(encodeHandshake('answer', withUnknown(encodeAnswer(answer))))
      const control = controlOf({ confirmed: 5, end: 9, ping: 4 })
      connection.write(encodeFrameHeader(0, -control.length), control)
      connection.write(
        encodeFrameHeader(0, 9),
        Buffer.from('nine byte'),
        encodeFrameHeader(9, -UNKNOWN.length),
        UNKNOWN,
      )
      return hear(connection, taken.rest)
    }
    const mac = proofOf(SECRET, 'master', decodeHello(taken.message.body).signed, ours)
    connection.write(encodeHandshake('master-hello', appendMac(ours, mac)))
  }
  await pair.net
    .host('m')
    .attach()
    .listen({ host: 'm', port: HA_PORT }, (connection) => {
      connection.start({ data: (chunk) => hear(connection, chunk), drained() {}, closed() {} })
    })
  const slave = pair.follow(log)
  await pair.clock.advance(100)
  expect(slave.following()).toMatchObject({
    state: 'streaming',
    masterIdentity: 'later',
    masterEnd: 9,
    confirmed: 5,
  })
  expect(log.bytes.toString()).toBe('nine byte')
  expect(heard).toContainEqual({ kind: 'report', position: 9 })
  expect(heard).toContainEqual({ kind: 'control', control: { pong: 4 } })
  expect(complaints(pair.slaveLogger)).toEqual([])
})
