import type { ServerDuplexStream } from '@grpc/grpc-js'
import { BrokerError, messageOf, type Clock, type Logger } from '@tandemmq/base'
import type { CallContext } from '@tandemmq/messaging'
import { forward as wire } from '@tandemmq/rpc'
import type { CallTarget } from '../client-api/call-target.ts'
import { failureOf } from '../rpc-status.ts'
import type { GrpcServer } from '../server.ts'
import type { SetSecretGuard } from '../set-secret.ts'
import { forwardService, PAYLOAD_BYTES_MAX } from './forward-method.ts'
import { FrameQueue, type Lane } from './frame-queue.ts'
import { ReceiveGate } from './receive-gate.ts'
import { RECEIVE, UntakenAnswers, type ReceiveAnswer } from './untaken-answers.ts'

export interface ForwardServicePorts {
  readonly clock: Clock
  readonly logger: Logger
}

export interface ForwardServiceOptions {
  /** Calls under way on one stream; one more is refused with `SYSTEM_BUSY`. */
  readonly inFlightMax: number
  /**
   * Bytes of answers that the gateway has not taken. While those to receives are more, no further receive is begun; only if the others, which
   * go first, are more, no more calls are read from the stream.
   */
  readonly queuedBytesMax: number
  /** Bytes of answers to receives that are remembered until the gateway says that it has them; then the oldest are forgotten. */
  readonly untakenBytesMax: number
  /** Bytes of receives that wait to be begun; one more is refused with `SYSTEM_BUSY`. */
  readonly waitingBytesMax: number
}

const defaultForwardServiceOptions: ForwardServiceOptions = {
  inFlightMax: 20_000,
  queuedBytesMax: 8 * 1024 * 1024,
  untakenBytesMax: 64 * 1024 * 1024,
  waitingBytesMax: 16 * 1024 * 1024,
}

type GatewayStream = ServerDuplexStream<wire.CallFrames, wire.ReplyFrames>

const FRAME_OVERHEAD_BYTES = 20

/** Serves what gateways forward. */
export function addForwardService(
  server: GrpcServer,
  target: CallTarget,
  guard: SetSecretGuard,
  ports: ForwardServicePorts,
  options: Partial<ForwardServiceOptions> = {},
): void {
  const limits = { ...defaultForwardServiceOptions, ...options }
  server.add(forwardService, {
    calls: (stream: GatewayStream) => {
      try {
        const { proof } = guard.check('forward', stream.metadata)
        stream.sendMetadata(proof)
      } catch (thrown) {
        const failure = failureOf(thrown)
        ports.logger.warn({ peer: stream.getPeer(), why: failure.details }, 'a gateway was refused')
        stream.emit('error', failure)
        return
      }
      new GatewayCalls(stream, target, ports, limits).start()
    },
  })
}

/** One client, as far as its turn among others goes. */
function clientOf({ peerIp, peerPort }: wire.CallFrame): string {
  return `${peerIp}:${peerPort}`
}

/** The calls of one gateway's stream. When it breaks, nobody waits for them any more, and what it may not have got is given back. */
class GatewayCalls {
  readonly #stream: GatewayStream
  readonly #target: CallTarget
  readonly #ports: ForwardServicePorts
  readonly #limits: ForwardServiceOptions
  readonly #queue: FrameQueue<wire.ReplyFrame, wire.ReplyFrames>
  readonly #running = new Map<number, AbortController>()
  readonly #untaken: UntakenAnswers
  readonly #gate: ReceiveGate
  #isOver = false

  constructor(
    stream: GatewayStream,
    target: CallTarget,
    ports: ForwardServicePorts,
    limits: ForwardServiceOptions,
  ) {
    this.#stream = stream
    this.#target = target
    this.#ports = ports
    this.#limits = limits
    this.#untaken = new UntakenAnswers({ target, ...ports }, limits.untakenBytesMax)
    this.#queue = new FrameQueue<wire.ReplyFrame, wire.ReplyFrames>(stream, (frames) => ({ frames }), {
      onRoom: () => this.#goOn(),
    })
    const hasRoom = (): boolean => this.#queue.queuedBytes('bulk') <= limits.queuedBytesMax
    this.#gate = new ReceiveGate(hasRoom, limits.waitingBytesMax)
  }

  start(): void {
    const stream = this.#stream
    stream.on('data', ({ frames }: wire.CallFrames) => {
      for (const frame of frames) this.#take(frame)
    })
    stream.on('end', () => {
      this.#leave()
      stream.end()
    })
    stream.on('cancelled', () => this.#leave())
    stream.on('error', () => this.#leave())
  }

  #take(frame: wire.CallFrame): void {
    if (this.#isOver) return
    if (frame.taken) return this.#untaken.taken(frame.id)
    if (frame.cancel) {
      this.#running.get(frame.id)?.abort(new BrokerError('UNAVAILABLE', 'the client is gone'))
      this.#untaken.cancelled(frame.id)
      this.#queue.removeAll('bulk', ({ id }) => id === frame.id)
      this.#gate.look()
      return
    }
    if (this.#running.has(frame.id)) {
      const why = new BrokerError('PROTOCOL_VIOLATION', `call ${frame.id} is under way already`)
      this.#leave()
      this.#stream.emit('error', failureOf(why))
      return
    }
    if (this.#running.size >= this.#limits.inFlightMax) {
      this.#end(frame.id, { failure: { code: 'SYSTEM_BUSY', message: 'too many calls are under way' } })
      return
    }
    void this.#run(frame)
  }

  async #run(frame: wire.CallFrame): Promise<void> {
    const { id } = frame
    const controller = new AbortController()
    this.#running.set(id, controller)
    let last: wire.ReplyFrame | undefined
    const context = this.#contextOf(frame, controller.signal)
    const received: ReceiveAnswer | undefined =
      frame.method === RECEIVE ? { request: frame.payload, context, frames: [], bytes: 0 } : undefined
    const lane = received ? 'bulk' : 'first'
    const reply = (payload: Uint8Array): void => {
      if (payload.length > PAYLOAD_BYTES_MAX) {
        throw new BrokerError('ILLEGAL_ARGUMENT', `an answer of ${payload.length} bytes is too large`)
      }
      if (received) {
        received.frames.push(payload)
        received.bytes += payload.length
      }
      if (controller.signal.aborted) return
      last = { id, payload, end: false, refusedByEpoch: undefined, failure: undefined }
      this.#push(last, payload.length, lane)
    }
    try {
      const waiting = received && this.#gate.enter(frame.payload.length, clientOf(frame), controller.signal)
      if (waiting) await waiting
      if (controller.signal.aborted) return
      await this.#target.call(frame.method, frame.payload, context, reply)
      // Most often the answer has not left yet: then it says itself that it is the last.
      if (last && this.#queue.has(last)) last.end = true
      else this.#end(id, {}, lane)
    } catch (thrown) {
      this.#end(id, this.#outcomeOf(thrown, frame.method), lane)
    } finally {
      this.#running.delete(id)
      if (received) this.#answered(id, received)
    }
  }

  /** Whether or not it was complete: a failure may come after messages. */
  #answered(id: number, answer: ReceiveAnswer): void {
    if (answer.context.signal.aborted) void this.#untaken.giveBack([answer])
    else this.#untaken.remember(id, answer)
  }

  #contextOf(frame: wire.CallFrame, signal: AbortSignal): CallContext {
    const { clientId, language, clientVersion, deadlineMs, servingEpoch, onPromise } = frame
    return {
      clientId,
      peer: { ip: frame.peerIp, port: frame.peerPort },
      language,
      clientVersion,
      ...(deadlineMs !== undefined && { deadline: this.#ports.clock.monotonic() + deadlineMs }),
      ...(servingEpoch !== undefined && { servingEpoch }),
      ...(onPromise && { onPromise }),
      signal,
    }
  }

  #outcomeOf(thrown: unknown, method: string): Partial<wire.ReplyFrame> {
    if (!(thrown instanceof BrokerError)) {
      this.#ports.logger.error(
        { method, error: messageOf(thrown) },
        'a forwarded call failed inside the broker',
      )
      return { failure: { code: 'FATE_UNKNOWN', message: 'the call failed inside the broker' } }
    }
    const known = thrown.facts['servingEpoch']
    if (thrown.code === 'NOT_SERVING') return { refusedByEpoch: typeof known === 'number' ? known : 0 }
    return { failure: { code: thrown.code, message: thrown.message } }
  }

  #end(id: number, outcome: Partial<wire.ReplyFrame>, lane: Lane = 'first'): void {
    this.#push(
      { id, payload: undefined, refusedByEpoch: undefined, failure: undefined, ...outcome, end: true },
      0,
      lane,
    )
  }

  #push(frame: wire.ReplyFrame, bytes: number, lane: Lane): void {
    if (this.#isOver) return
    this.#queue.push(frame, bytes + FRAME_OVERHEAD_BYTES, lane)
    if (this.#queue.queuedBytes('first') > this.#limits.queuedBytesMax) this.#stream.pause()
  }

  #goOn(): void {
    this.#gate.look()
    if (this.#stream.isPaused() && this.#queue.queuedBytes('first') <= this.#limits.queuedBytesMax / 2) {
      this.#stream.resume()
    }
  }

  #leave(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#queue.close()
    const gone = new BrokerError('UNAVAILABLE', 'the gateway is gone')
    for (const controller of this.#running.values()) controller.abort(gone)
    this.#untaken.over()
  }
}
