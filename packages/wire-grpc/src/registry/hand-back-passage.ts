import type { ClientWritableStream, Metadata, sendUnaryData, ServerReadableStream } from '@grpc/grpc-js'
import { BrokerError, type Clock, type Logger } from '@tandemmq/base'
import { handBackTarget, type HandBackAddress, type ServingView } from '@tandemmq/registry'
import { metadata, type registry as wire } from '@tandemmq/rpc'
import { internalChannelOptions } from '../internal-client.ts'
import { errorOf, failureOf } from '../rpc-status.ts'
import type { SetSecret, SetSecretGuard } from '../set-secret.ts'
import { singleCall, type Answered } from '../single-call.ts'

/** From the begin of a call until its answer. The slave that sends it has sealed itself for as long at most. */
const PASSAGE_MS = 2_000

export interface HandBackPassageParts {
  /** Who is the master of a set, and where. */
  readonly view: Pick<ServingView, 'set'>
  /** Our own word towards masters. */
  readonly secret: SetSecret
}

export interface HandBackPassagePorts {
  readonly guard: SetSecretGuard
  readonly clock: Clock
  readonly logger: Logger
}

type Incoming = ServerReadableStream<wire.HandBackPassage, metadata.HandBackAnswer>
type Onward = ClientWritableStream<metadata.HandBackPart>

/** What the master has said, or that it was not heard. */
type Outcome =
  | { readonly kind: 'answered'; readonly answer: metadata.HandBackAnswer }
  | { readonly kind: 'refused'; readonly why: unknown }

/**
 * Passes on what slaves have for a master that they do not reach (rule 4.7). It knows neither of logs nor of progress: what comes is for the master
 * to judge, and its answer is the answer. Nothing is kept: a part is taken when there is room for it on the way to the master.
 */
export class HandBackPassages {
  readonly #parts: HandBackPassageParts
  readonly #ports: HandBackPassagePorts
  /** Sets of which one is under way. */
  readonly #busy = new Set<string>()

  constructor(parts: HandBackPassageParts, ports: HandBackPassagePorts) {
    this.#parts = parts
    this.#ports = ports
  }

  serve(call: Incoming, done: sendUnaryData<metadata.HandBackAnswer>): void {
    const { clock, logger } = this.#ports
    const patience = new AbortController()
    const timer = clock.after(PASSAGE_MS, () =>
      patience.abort(new BrokerError('UNAVAILABLE', `a hand-back may take ${PASSAGE_MS} ms`)),
    )
    this.#outcome(call, patience)
      .then(
        (outcome) => {
          if (outcome.kind === 'answered') return done(null, outcome.answer)
          // The slave tells why, once; it comes again and again.
          const failure = failureOf(outcome.why)
          logger.debug({ peer: call.getPeer(), why: failure.details }, 'a master did not take a hand-back')
          done(failure)
        },
        (thrown: unknown) => {
          const failure = failureOf(thrown)
          logger.warn({ peer: call.getPeer(), why: failure.details }, 'a hand-back was not passed on')
          done(failure)
        },
      )
      .finally(() => timer.cancel())
  }

  /** Rejects if nothing comes of it here; `patience` ends it. */
  #outcome(call: Incoming, patience: AbortController): Promise<Outcome> {
    const { signal } = patience
    const broken = (): void => patience.abort(new BrokerError('UNAVAILABLE', 'the hand-back broke off'))
    return new Promise((resolve, reject) => {
      const { identity: from, proof } = this.#ports.guard.check('hand-back', call.metadata)
      call.sendMetadata(proof)
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      let onward: Onward | undefined
      let isWhole = false
      call.on('data', ({ address, part }: wire.HandBackPassage) => {
        if (signal.aborted) return
        try {
          // Behind the last part nothing can be written.
          const isFirst = onward === undefined
          if (part === undefined || isWhole || isFirst !== (address !== undefined)) throw outOfOrder()
          if (address !== undefined) onward = this.#begin({ ...address, from }, signal, resolve)
          if (onward !== undefined) write(part, onward, call)
          isWhole = part.last
        } catch (thrown) {
          patience.abort(errorOf(thrown))
        }
      })
      // What breaks off ends too, before it is known as cancelled: the last part is told by itself.
      call.on('end', () => isWhole || broken())
      call.on('cancelled', broken)
      call.on('error', broken)
    })
  }

  /** The call to the master. */
  #begin(address: HandBackAddress, signal: AbortSignal, over: (outcome: Outcome) => void): Onward {
    const { view, secret } = this.#parts
    const { set, from, to } = address
    const { grpcAddress } = handBackTarget(view, address)
    if (this.#busy.has(set))
      throw new BrokerError('SYSTEM_BUSY', `a hand-back of the set ${set} is already under way`)
    const credentials = secret.channelCredentials()
    const client = new metadata.MetadataClient(grpcAddress, credentials, internalChannelOptions)
    const peer = `the master ${to} at ${grpcAddress}`
    const begin = (word: Metadata, done: Answered<metadata.HandBackAnswer>): Onward =>
      client.handBack(word, done)
    const { call, answered } = singleCall({ client, secret, purpose: 'metadata', peer, begin }, signal)
    this.#busy.add(set)
    answered
      .finally(() => this.#busy.delete(set))
      .then(
        (answer) => {
          this.#ports.logger.info({ set, from, to }, 'passed on a hand-back to a master that is not reached')
          over({ kind: 'answered', answer })
        },
        (why: unknown) => over({ kind: 'refused', why }),
      )
    return call
  }
}

/** The next part is taken when there is room for it. */
function write(part: metadata.HandBackPart, onward: Onward, call: Incoming): void {
  const hasRoom = onward.write(part)
  if (part.last) onward.end()
  if (part.last || hasRoom) return
  call.pause()
  onward.once('drain', () => call.resume())
}

function outOfOrder(): BrokerError {
  return new BrokerError(
    'PROTOCOL_VIOLATION',
    'a hand-back is an address with its first part, then parts up to the last',
  )
}
