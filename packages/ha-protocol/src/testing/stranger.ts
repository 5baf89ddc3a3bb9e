import type { Connection } from '@tandemmq/base'
import { HandshakeReader, decodeHello, encodeHandshake, encodeHello, encodeProof } from '@tandemmq/codec'
import type { Hello } from '@tandemmq/codec'
import { proofOf } from '../authentication.ts'
import { HA_PORT, SECRET } from './pair.ts'
import type { Pair } from './pair.ts'

/** A peer made by hand. */
export class Stranger {
  readonly connection: Connection
  received = Buffer.alloc(0)
  isClosed = false

  constructor(connection: Connection) {
    this.connection = connection
    connection.start({
      data: (chunk) => (this.received = Buffer.concat([this.received, chunk])),
      drained: () => {},
      closed: () => (this.isClosed = true),
    })
  }

  static async call(pair: Pair, host = 'x'): Promise<Stranger> {
    const net = pair.net.host(host).attach()
    return new Stranger(await pair.clock.outcome(net.connect({ host: 'm', port: HA_PORT })))
  }

  say(...bytes: Buffer[]): void {
    this.connection.write(...bytes)
  }

  /** Takes the next handshake message out of what has come. */
  message() {
    const taken = new HandshakeReader().push(this.received)
    if (taken === undefined) throw new Error('no whole message has come')
    this.received = Buffer.from(taken.rest)
    return taken.message
  }
}

export const strangerHello: Hello = {
  protocolVersion: 1,
  role: 'slave',
  cluster: 'DefaultCluster',
  set: 'broker-a',
  identity: 'slave-x',
  instanceId: 'x-1',
  nonce: Buffer.alloc(16, 7),
  begin: 0,
  end: 0,
  flushed: 0,
  flush: 'when-required',
  segmentBytes: 65536,
  wallClock: 0,
}

/** Says hello and gives a good proof; returns the bytes of both, for replays. */
export async function handshake(pair: Pair, stranger: Stranger, hello = strangerHello): Promise<Buffer[]> {
  const signed = encodeHello(hello)
  const first = encodeHandshake('slave-hello', signed)
  stranger.say(first)
  await pair.clock.advance(10)
  const master = decodeHello(stranger.message().body)
  const second = encodeHandshake(
    'proof',
    encodeProof({ mac: proofOf(SECRET, 'slave', signed, master.signed) }),
  )
  stranger.say(second)
  await pair.clock.advance(10)
  return [first, second]
}
