import { rocketmq } from '@tandemmq/rpc'
import { within, type RawPeer } from './raw-peer.ts'
import { pingOf } from './http2-wire.ts'

const FRAME_HEAD = 9
const TYPE = { data: 0, headers: 1, reset: 3, ping: 6, goAway: 7 } as const
const END_STREAM = 1
const ACK = 1
/** Of each answer so much is kept; the ones that refuse are shorter. */
const ANSWER_MAX = 4_096
const MARK = Buffer.from('the mark')

/** What the other side of an HTTP/2 connection answers, read without its header compression. */
export class Http2Answers {
  /** Streams that the other side ended without a message, or with a message whose status is no 2xxxx. */
  refused = 0
  /** Streams that it ended with a message that says OK. */
  granted = 0
  /** Its reason to end the connection (RFC 9113, 7); undefined: it named none. */
  goAway: number | undefined
  readonly #peer: RawPeer
  #unread: Buffer = Buffer.alloc(0)
  readonly #bodies = new Map<number, Buffer>()
  #watchers: (() => void)[] = []
  #isMarkAnswered = false

  constructor(peer: RawPeer) {
    this.#peer = peer
    peer.hear((chunk) => this.#take(chunk))
  }

  /** Resolves when that many calls are refused; `late` when they are not in time. An end of the connection resolves nothing. */
  async refuses(count: number, withinMs: number): Promise<'late' | 'happened'> {
    return within(
      withinMs,
      this.#until(() => this.refused >= count),
    )
  }

  /** Resolves when that many calls are over, whatever came of them. */
  async ends(count: number, withinMs: number): Promise<'late' | 'happened'> {
    return within(
      withinMs,
      this.#until(() => this.refused + this.granted >= count),
    )
  }

  /** Asks for a sign of life behind everything that was said: `happened` when it came, or the connection is over. */
  async digested(withinMs: number): Promise<'late' | 'happened'> {
    void this.#peer.say(pingOf(MARK))
    const answered = this.#until(() => this.#isMarkAnswered)
    return within(withinMs, Promise.race([answered, this.#peer.closed]))
  }

  #until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (holds()) resolve()
      }
      this.#watchers.push(look)
      look()
    })
  }

  #take(chunk: Buffer): void {
    let rest = Buffer.concat([this.#unread, chunk])
    while (rest.length >= FRAME_HEAD && rest.length >= FRAME_HEAD + rest.readUIntBE(0, 3)) {
      const length = rest.readUIntBE(0, 3)
      const payload = rest.subarray(FRAME_HEAD, FRAME_HEAD + length)
      this.#frame(rest.readUInt8(3), rest.readUInt8(4), rest.readUInt32BE(5), payload)
      rest = rest.subarray(FRAME_HEAD + length)
    }
    this.#unread = rest
    for (const look of this.#watchers) look()
  }

  #frame(type: number, flags: number, stream: number, payload: Buffer): void {
    if (type === TYPE.goAway) this.goAway = payload.readUInt32BE(4)
    if (type === TYPE.ping && (flags & ACK) !== 0 && payload.equals(MARK)) this.#isMarkAnswered = true
    if (type === TYPE.data) {
      const body = Buffer.concat([this.#bodies.get(stream) ?? Buffer.alloc(0), payload])
      this.#bodies.set(stream, body.subarray(0, ANSWER_MAX))
    }
    const isEnd = (type === TYPE.data || type === TYPE.headers) && (flags & END_STREAM) !== 0
    if (!isEnd && type !== TYPE.reset) return
    const body = this.#bodies.get(stream)
    this.#bodies.delete(stream)
    if (isEnd && body !== undefined && isOk(body)) this.granted += 1
    else this.refused += 1
  }
}

/** The first field of every unary answer is its status, so one decoder does for all. */
function isOk(body: Buffer): boolean {
  const code = rocketmq.HeartbeatResponse.decode(body.subarray(5, 5 + body.readUInt32BE(1))).status?.code ?? 0
  return code < 30_000
}
