import { gzipSync } from 'node:zlib'
import {
  continuation,
  data,
  emptySettings,
  frame,
  grpcMessage,
  headers,
  indexed,
  literal,
  opening,
  ping,
  priority,
  requestBlock,
  reset,
  settings,
  windowUpdate,
} from './http2-wire.ts'
import { Http2Answers } from './http2-answers.ts'
import type { PortAttack } from './port-attack.ts'
import { ANSWERED_MS, closed, digested, refused, type Outcome } from './outcome.ts'
import { RawPeer } from './raw-peer.ts'

const RECEIVE = '/apache.rocketmq.v2.MessagingService/ReceiveMessage'
const TELEMETRY = '/apache.rocketmq.v2.MessagingService/Telemetry'
const SEND = '/apache.rocketmq.v2.MessagingService/SendMessage'
const client = { 'x-mq-client-id': 'hostile' }
const receive = requestBlock(RECEIVE, client)
const telemetry = requestBlock(TELEMETRY, client)
const send = requestBlock(SEND, client)
/** More zeros than a message may have, in a small packet. */
const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024))
/** Frames that go out in one write. */
const BATCH = 1_000
/** Beyond 1,000 open streams the service ends the connection, so no more calls wait for their answers. */
const CALLS_AT_ONCE = 500

interface FloodOptions {
  /** Whether the answers are read while the flood goes on; at its end they are. */
  readonly reads?: boolean
  /** Whether HTTP/2 is opened properly before. */
  readonly opens?: boolean
  readonly growthMaxMB?: number
  /** Calls that one write makes: the next are made when some are answered. Absent: all at once. */
  readonly callsInTurn?: number
}

export const grpcProtocol = {
  opening,
  unfinished: Buffer.concat([opening, headers(1, send), data(1, grpcMessage(Buffer.alloc(10), 1_000))]),
  silentMax: 256,
}

/** Floods and games of HTTP/2, and of gRPC in it. */
export const grpcAttacks: readonly PortAttack[] = [
  flood('SETTINGS flood', closed, 200, () => many(() => emptySettings)),
  flood('PING flood', closed, 200, () => many(() => ping)),
  flood('PING flood, answers unread', closed, 200, () => many(() => ping), { reads: false }),
  flood('rapid reset', closed, 100, (turn) =>
    many((n) => {
      const stream = streamOf(turn * BATCH + n)
      return Buffer.concat([headers(stream, receive), reset(stream)])
    }),
  ),
  flood('CONTINUATION flood', closed, 1_000, (turn) =>
    turn === 0
      ? headers(1, receive, { isWhole: false })
      : Buffer.concat(Array.from({ length: 10 }, () => continuation(1, literal('x', 'y'.repeat(1_000))))),
  ),
  flood('HPACK bomb', refused(100), 100, (turn) => {
    const { enter, repeat } = indexed('x', 'y'.repeat(4_000))
    const block = Buffer.concat([
      enter,
      receive,
      Buffer.alloc(15_000 - receive.length - enter.length, repeat),
    ])
    return headers(streamOf(turn), block, { isLast: true })
  }),
  flood('headers of 200 KB', closed, 100, (turn) => {
    const stream = streamOf(turn)
    const pieces = Array.from({ length: 12 }, (_, n) =>
      continuation(stream, literal(`x${n}`, 'y'.repeat(16_000)), n === 11),
    )
    return Buffer.concat([headers(stream, receive, { isWhole: false }), ...pieces])
  }),
  flood('10,000 header fields of one byte', refused(50), 50, (turn) => {
    const stream = streamOf(turn)
    const fields = Buffer.concat(Array.from({ length: 2_000 }, () => literal('x', '')))
    const pieces = Array.from({ length: 5 }, (_, n) => continuation(stream, fields, n === 4))
    return Buffer.concat([headers(stream, receive, { isWhole: false }), ...pieces])
  }),
  flood('empty DATA frames', closed, 1_000, (turn) =>
    turn === 0 ? headers(1, telemetry) : many(() => data(1, Buffer.alloc(0))),
  ),
  flood('100,000 streams that say nothing more', closed, 100, (turn) =>
    many((n) => headers(streamOf(turn * BATCH + n), receive)),
  ),
  flood('WINDOW_UPDATE flood', digested, 1_000, (turn) =>
    turn === 0 ? headers(1, telemetry) : many(() => windowUpdate(1, 1)),
  ),
  flood('a window beyond 2^31', closed, 10, () => windowUpdate(0, 2 ** 31 - 1)),
  flood('PRIORITY flood', closed, 1_000, (turn) => many((n) => priority(streamOf(turn * BATCH + n)))),
  flood('unknown frames', closed, 1_000, () => many(() => frame(0xbb, 0, 0, Buffer.alloc(8)))),
  flood('windows of 0, then of 2^31, and back', closed, 1_000, (turn) =>
    many((n) => settings([4, (turn + n) % 2 === 0 ? 0 : 2 ** 31 - 1])),
  ),
  flood('a header table of 4 GiB', digested, 1, () => settings([1, 0xffffffff])),
  flood('a frame of 16 MiB', closed, 1, () =>
    Buffer.concat([headers(1, send), frame(0, 0, 1, Buffer.alloc(100), 0xffffff)]),
  ),
  flood('a message of 2 GiB', refused(1), 1, () =>
    Buffer.concat([headers(1, send), data(1, grpcMessage(Buffer.alloc(100), 0x7fffffff))]),
  ),
  flood('a message of -1 bytes', refused(1), 1, () =>
    Buffer.concat([headers(1, send), data(1, grpcMessage(Buffer.alloc(100), -1))]),
  ),
  flood('64 MiB of zeros in gzip', refused(10), 10, (turn) => {
    const stream = streamOf(turn)
    const block = requestBlock(SEND, { ...client, 'grpc-encoding': 'gzip' })
    const message = grpcMessage(bomb, bomb.length, true)
    return Buffer.concat([windowUpdate(0, 1), headers(stream, block), ...inFrames(stream, message)])
  }),
  flood(
    '10,000 calls of protobuf garbage',
    refused(10_000),
    100,
    (turn) =>
      Buffer.concat(
        Array.from({ length: 100 }, (_, n) => {
          const stream = streamOf(turn * 100 + n)
          const body = Buffer.alloc(200, (turn + n) % 256)
          return Buffer.concat([headers(stream, send), data(stream, grpcMessage(body), true)])
        }),
      ),
    // What 10,000 refused calls leave to be thrown away is close to the usual bound.
    { growthMaxMB: 128, callsInTurn: 100 },
  ),
  flood(
    '10,000 clients with names of 8 KB',
    refused(10_000),
    1_000,
    (turn) =>
      Buffer.concat(
        Array.from({ length: 10 }, (_, n) => {
          const number = turn * 10 + n
          const name = `${number}`.padEnd(8_000, 'x')
          const block = requestBlock('/apache.rocketmq.v2.MessagingService/Heartbeat', {
            'x-mq-client-id': name,
          })
          const stream = streamOf(number)
          return Buffer.concat([headers(stream, block), data(stream, grpcMessage(Buffer.alloc(0)), true)])
        }),
      ),
    // Names read and thrown away: four times as many cost no more than 150 MB either.
    { growthMaxMB: 192, callsInTurn: 10 },
  ),
  flood('the service does not exist', refused(10), 10, (turn) =>
    headers(streamOf(turn), requestBlock(`/no/${'x'.repeat(300)}`), { isLast: true }),
  ),
  flood('HTTP/1.1', closed, 1, () => Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), { opens: false }),
]

function flood(
  attack: string,
  outcome: Outcome,
  times: number,
  turn: (turn: number) => Buffer,
  { reads = true, opens = true, growthMaxMB, callsInTurn }: FloodOptions = {},
): PortAttack {
  return {
    attack,
    expected: outcome.words,
    ...(growthMaxMB !== undefined && { growthMaxMB }),
    run: async (address) => {
      using peer = new RawPeer(address, reads)
      const answers = new Http2Answers(peer)
      await peer.connected()
      // Wide enough for every answer: none is to be kept back by our window.
      if (opens) await peer.say(Buffer.concat([opening, windowUpdate(0, 2 ** 30)]))
      const round = callsInTurn === undefined ? times : CALLS_AT_ONCE / callsInTurn
      let done = 0
      for (let from = 0; from < times && done === from; from += round) {
        done += await peer.repeat(round, (n) => turn(from + n))
        if (callsInTurn !== undefined) await answers.refuses(done * callsInTurn, ANSWERED_MS)
      }
      peer.read()
      const seen = await outcome.seen(peer, answers)
      return `${seen}; ${done} of ${times} writes taken`
    },
  }
}

function many(one: (n: number) => Buffer): Buffer {
  return Buffer.concat(Array.from({ length: BATCH }, (_, n) => one(n)))
}

function streamOf(number: number): number {
  return number * 2 + 1
}

function inFrames(stream: number, bytes: Buffer): Buffer[] {
  const frames: Buffer[] = []
  for (let at = 0; at < bytes.length; at += 16_384) {
    frames.push(data(stream, bytes.subarray(at, at + 16_384), at + 16_384 >= bytes.length))
  }
  return frames
}
