import { Client, type ClientDuplexStream } from '@grpc/grpc-js'
import { BrokerError, messageOf, type Clock, type Logger, type Timer } from '@tandemmq/base'
import type { CallContext } from '@tandemmq/messaging'
import { forward as wire } from '@tandemmq/rpc'
import type { BrokerChannel } from '../gateway/broker-channel.ts'
import { internalChannelOptions, watchCall } from '../internal-client.ts'
import { isErrorCode } from '../rpc-status.ts'
import type { SetSecret } from '../set-secret.ts'
import { callsMethod, PAYLOAD_BYTES_MAX } from './forward-method.ts'
import { FrameQueue } from './frame-queue.ts'
import { RECEIVE } from './untaken-answers.ts'

export interface ForwardOptions {
  /** Calls under way on one channel. */
  readonly inFlightMax: number
  /** Bytes of calls that have not left yet, on one channel. */
  readonly queuedBytesMax: number
  /** The longest pause between two attempts to connect; the first one after a loss comes at once. */
  readonly retryMaxMs: number
}

const defaultForwardOptions: ForwardOptions = {
  inFlightMax: 20_000,
  queuedBytesMax: 16 * 1024 * 1024,
  retryMaxMs: 1000,
}

export interface ForwardPorts {
  readonly clock: Clock
  readonly logger: Logger
  readonly secret: SetSecret
}

interface PendingCall {
  readonly frame: wire.CallFrame
  readonly reply: (message: Uint8Array) => void
  readonly settle: (error?: BrokerError) => void
  hasLeft: boolean
}

/** One connection's life. */
interface Line {
  readonly client: Client
  readonly stream: ClientDuplexStream<wire.CallFrames, wire.ReplyFrames>
  readonly queue: FrameQueue<wire.CallFrame, wire.CallFrames>
  isOver: boolean
}

const RETRY_FIRST_MS = 50
/** So many attempts (about 4 s) fail in silence: that a broker has gone is the registry's to tell. */
const QUIET_FAILURES = 8
const FRAME_OVERHEAD_BYTES = 100

/**
 * The stream from a gateway to one broker. It connects by itself and comes back by itself; calls are refused meanwhile. When it breaks, a call
 * that has left ends as `FATE_UNKNOWN` and one that has not as `UNAVAILABLE`, so that nothing is ever sent twice (rule 6.1).
 */
export class ForwardChannel implements BrokerChannel {
  readonly address: string
  readonly #options: ForwardOptions
  readonly #ports: ForwardPorts
  readonly #onChange: () => void
  readonly #calls = new Map<number, PendingCall>()
  #line: Line | undefined
  #isOpen = false
  #isClosed = false
  #nextId = 1
  #failures = 0
  #toldTrouble = ''
  #retry: Timer | undefined

  /** `onChange` is called when the channel opens or closes. */
  constructor(address: string, options: Partial<ForwardOptions>, ports: ForwardPorts, onChange: () => void) {
    this.address = address
    this.#options = { ...defaultForwardOptions, ...options }
    this.#ports = ports
    this.#onChange = onChange
    this.#connect()
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Calls under way. */
  get inFlight(): number {
    return this.#calls.size
  }

  call(
    method: string,
    request: Uint8Array,
    context: CallContext,
    reply: (message: Uint8Array) => void,
  ): Promise<void> {
    const line = this.#line
    const refusal = this.#refusalOf(request, context)
    if (refusal || !line) return Promise.reject(refusal ?? this.#notConnected())
    return new Promise((resolve, reject) => {
      const id = this.#nextId++
      const abort = (): void => this.#abandon(id)
      const settle = (error?: BrokerError): void => {
        this.#calls.delete(id)
        context.signal.removeEventListener('abort', abort)
        if (error) reject(error)
        else resolve()
      }
      const frame = this.#frameOf(id, method, request, context)
      this.#calls.set(id, { frame, reply, settle, hasLeft: false })
      context.signal.addEventListener('abort', abort, { once: true })
      line.queue.push(frame, request.length + FRAME_OVERHEAD_BYTES)
    })
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#retry?.cancel()
    if (this.#line) this.#drop(this.#line, new BrokerError('UNAVAILABLE', 'the gateway is closing'))
  }

  #refusalOf(request: Uint8Array, context: CallContext): BrokerError | undefined {
    if (!this.#isOpen) return this.#notConnected()
    if (context.signal.aborted) return abandoned()
    if (request.length > PAYLOAD_BYTES_MAX) {
      return new BrokerError(
        'ILLEGAL_ARGUMENT',
        `a request of ${request.length} bytes is too large: ${PAYLOAD_BYTES_MAX} are allowed`,
      )
    }
    const { inFlightMax, queuedBytesMax } = this.#options
    const queuedBytes = this.#line?.queue.queuedBytes() ?? 0
    if (this.#calls.size < inFlightMax && queuedBytes + request.length <= queuedBytesMax) return undefined
    return new BrokerError('SYSTEM_BUSY', `too many calls wait for the broker at ${this.address}`)
  }

  #notConnected(): BrokerError {
    return new BrokerError('UNAVAILABLE', `there is no connection to the broker at ${this.address}`)
  }

  #frameOf(id: number, method: string, request: Uint8Array, context: CallContext): wire.CallFrame {
    const { deadline, servingEpoch, onPromise = false, clientId, peer, language, clientVersion } = context
    const left = deadline === undefined ? undefined : deadline - this.#ports.clock.monotonic()
    return {
      id,
      method,
      payload: request,
      deadlineMs: left === undefined || left === Infinity ? undefined : Math.max(0, Math.floor(left)),
      servingEpoch,
      onPromise,
      clientId,
      peerIp: peer.ip,
      peerPort: peer.port,
      language,
      clientVersion,
      cancel: false,
      taken: false,
    }
  }

  /** The caller is gone. What has left is cancelled at the broker. */
  #abandon(id: number): void {
    const call = this.#calls.get(id)
    if (!call) return
    call.settle(abandoned())
    if (!this.#line || this.#line.queue.remove(call.frame)) return
    this.#line.queue.push(wire.CallFrame.fromPartial({ id, cancel: true }), FRAME_OVERHEAD_BYTES)
  }

  #connect(): void {
    if (this.#isClosed) return
    const { metadata, checkProof } = this.#ports.secret.sign('forward')
    const client = new Client(this.address, this.#ports.secret.channelCredentials(), internalChannelOptions)
    const stream = client.makeBidiStreamRequest(
      callsMethod.path,
      callsMethod.requestSerialize,
      callsMethod.responseDeserialize,
      metadata,
    )
    const queue = new FrameQueue<wire.CallFrame, wire.CallFrames>(stream, (frames) => ({ frames }), {
      onLeaving: (frame) => {
        const call = this.#calls.get(frame.id)
        if (call) call.hasLeft = true
      },
    })
    const line: Line = { client, stream, queue, isOver: false }
    this.#line = line
    watchCall(stream, checkProof, (error) => {
      this.#lost(line, error ?? new BrokerError('UNAVAILABLE', 'the broker has closed the stream'))
    })
    // After watchCall's own listener: a server that is not to be trusted is over by now.
    stream.on('metadata', () => {
      if (!line.isOver) this.#opened()
    })
    stream.on('data', ({ frames }: wire.ReplyFrames) => {
      for (const frame of frames) if (!line.isOver) this.#take(frame)
    })
  }

  #opened(): void {
    this.#failures = 0
    this.#toldTrouble = ''
    this.#isOpen = true
    this.#ports.logger.debug({ broker: this.address }, 'channel to a broker is open')
    this.#onChange()
  }

  #take(frame: wire.ReplyFrame): void {
    const call = this.#calls.get(frame.id)
    if (!call) return // Abandoned meanwhile.
    if (frame.payload !== undefined) call.reply(frame.payload)
    if (!frame.end) return
    if (call.frame.method === RECEIVE) this.#sayTaken(frame.id)
    if (frame.refusedByEpoch !== undefined) {
      call.settle(
        new BrokerError('NOT_SERVING', `the broker at ${this.address} does not serve under this epoch`, {
          facts: { servingEpoch: frame.refusedByEpoch },
        }),
      )
      return
    }
    call.settle(frame.failure && failureOf(frame.failure))
  }

  /** From here on it is the gateway's to give back what its client does not get. */
  #sayTaken(id: number): void {
    this.#line?.queue.push(wire.CallFrame.fromPartial({ id, taken: true }), FRAME_OVERHEAD_BYTES)
  }

  #lost(line: Line, why: BrokerError): void {
    if (line.isOver) return
    this.#drop(line, why)
    if (this.#isClosed) return
    this.#complain(why)
    const { retryMaxMs } = this.#options
    const pauseMs =
      this.#failures === 0 ? 0 : Math.min(retryMaxMs, RETRY_FIRST_MS * 2 ** (this.#failures - 1))
    this.#failures++
    this.#retry = this.#ports.clock.after(pauseMs, () => this.#connect())
  }

  /** Once per outage and once per refusal, not once per attempt. */
  #complain(why: BrokerError): void {
    const { logger } = this.#ports
    const isRefused = why.code === 'PEER_REFUSED'
    const trouble = isRefused ? why.message : 'away'
    if (trouble === this.#toldTrouble) return
    if (!isRefused && this.#failures < QUIET_FAILURES) {
      logger.debug({ broker: this.address, why: messageOf(why) }, 'channel to a broker is lost')
      return
    }
    this.#toldTrouble = trouble
    logger.warn({ broker: this.address, why: messageOf(why) }, 'no channel to a broker; still trying')
  }

  #drop(line: Line, why: BrokerError): void {
    const wasOpen = this.#isOpen
    line.isOver = true
    line.queue.close()
    line.stream.cancel()
    line.client.close()
    this.#line = undefined
    this.#isOpen = false
    for (const call of this.#calls.values()) {
      const words = call.hasLeft ? 'broke before the call ended' : 'broke before the call left'
      call.settle(
        new BrokerError(
          call.hasLeft ? 'FATE_UNKNOWN' : 'UNAVAILABLE',
          `the channel to ${this.address} ${words}`,
          {
            cause: why,
          },
        ),
      )
    }
    if (wasOpen) this.#onChange()
  }
}

function abandoned(): BrokerError {
  return new BrokerError('UNAVAILABLE', 'the caller is gone')
}

/** A failure without a code that we know says nothing about what happened. */
function failureOf({ code, message }: wire.CallFailure): BrokerError {
  return new BrokerError(isErrorCode(code) ? code : 'FATE_UNKNOWN', message)
}
