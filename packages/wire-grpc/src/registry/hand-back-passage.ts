import type { ClientWritableStream, sendUnaryData, ServerReadableStream } from '@grpc/grpc-js'
import { BrokerError, type Clock, type Logger } from '@tandemmq/base'
import { handBackTarget, type HandBackAddress, type ServingView } from '@tandemmq/registry'
import { metadata, type registry as wire } from '@tandemmq/rpc'
import { internalChannelOptions } from '../internal-client.ts'
import { failureOf } from '../rpc-status.ts'
import type { SetSecret, SetSecretGuard } from '../set-secret.ts'
import { singleCall } from '../single-call.ts'

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

/** The parts of one hand-back on their way, of which none is kept. */
interface Passage {
  write(part: metadata.HandBackPart): void
}

/**
 * Passes on what a slave has for its master while the two do not reach each other (rule 4.7). It knows neither of a log nor of progress: what
 * comes is for the master to judge, and its answer is the answer.
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
    const { guard, clock, logger } = this.#ports
    const patience = new AbortController()
    const timer = clock.after(PASSAGE_MS, () => patience.abort())
    let from = ''
    const admitted = (): string => {
      const caller = guard.check('hand-back', call.metadata)
      call.sendMetadata(caller.proof)
      return caller.identity
    }
    new Promise<metadata.HandBackAnswer>((resolve, reject) => {
      from = admitted()
      patience.signal.addEventListener(
        'abort',
        () => reject(new BrokerError('UNAVAILABLE', `a hand-back may take ${PASSAGE_MS} ms`)),
        { once: true },
      )
      call.on('cancelled', () => patience.abort())
      let passage: Passage | undefined
      let isWhole = false
      call.on('data', ({ address, part }: wire.HandBackPassage) => {
        try {
          if ((address === undefined) !== (passage !== undefined) || part === undefined) throw outOfOrder()
          passage ??= this.#begin(
            call,
            { set: '', to: '', ...address, from },
            patience.signal,
            resolve,
            reject,
          )
          passage.write(part)
          isWhole = part.last
        } catch (thrown) {
          reject(thrown)
        }
      })
      // What breaks off ends too: the last part is told by itself.
      call.on('end', () => isWhole || reject(new BrokerError('UNAVAILABLE', 'the hand-back broke off')))
      call.on('error', reject)
    })
      .then(
        (answer) => done(null, answer),
        (thrown: unknown) => {
          patience.abort()
          const failure = failureOf(thrown)
          logger.warn({ from, peer: call.getPeer(), why: failure.details }, 'a hand-back was not passed on')
          done(failure)
        },
      )
      .finally(() => timer.cancel())
  }

  #begin(
    call: Incoming,
    address: HandBackAddress,
    signal: AbortSignal,
    resolve: (answer: metadata.HandBackAnswer) => void,
    reject: (thrown: unknown) => void,
  ): Passage {
    const { view, secret } = this.#parts
    const { grpcAddress } = handBackTarget(view, address)
    const { set, from, to } = address
    if (this.#busy.has(set))
      throw new BrokerError('SYSTEM_BUSY', `a hand-back of the set ${set} is already under way`)
    const client = new metadata.MetadataClient(
      grpcAddress,
      secret.channelCredentials(),
      internalChannelOptions,
    )
    this.#busy.add(set)
    let onward: ClientWritableStream<metadata.HandBackPart> | undefined
    const answered = singleCall<metadata.HandBackAnswer>(
      {
        client,
        secret,
        purpose: 'metadata',
        peer: `the master ${to} at ${grpcAddress}`,
        begin: (word, done) => {
          onward = client.handBack(word, done)
          return onward
        },
      },
      signal,
    )
    answered
      .finally(() => this.#busy.delete(set))
      .then((answer) => {
        this.#ports.logger.info(
          { set, from, to },
          'a hand-back was passed on to a master that is not reached',
        )
        resolve(answer)
      }, reject)
    return {
      write: (part) => {
        const hasRoom = onward?.write(part)
        if (part.last) onward?.end()
        else if (hasRoom === false) {
          call.pause()
          onward?.once('drain', () => call.resume())
        }
      },
    }
  }
}

function outOfOrder(): BrokerError {
  return new BrokerError(
    'PROTOCOL_VIOLATION',
    'a hand-back is an address with its first part, then parts up to the last',
  )
}
