import type { Metadata, ServiceError } from '@grpc/grpc-js'
import { BrokerError } from '@tandemmq/base'
import {
  decodeAnswer,
  type Answer,
  type Cursor,
  type LogClaim,
  type MetadataSource,
  type Snapshot,
} from '@tandemmq/metadata'
import { metadata as wire } from '@tandemmq/rpc'
import { internalChannelOptions, watchCall, type CallEvents } from '../internal-client.ts'
import { errorOf } from '../rpc-status.ts'
import type { SetSecret } from '../set-secret.ts'
import { singleCall, type Answered, type SingleCallEvents } from '../single-call.ts'
import type { GroupWish, TopicWish } from './metadata-admin.ts'
import { demandJudged, partsOf } from './hand-back-parts.ts'
import { Pieces } from './pieces.ts'
import { groupToWire, topicToWire } from './wishes.ts'

/** How long one administrative call may take. */
const ADMIN_TIMEOUT_MS = 5000

/** A call that is answered with a stream of pieces. */
interface AnswerCall extends CallEvents {
  on(event: 'metadata', listener: (initial: Metadata) => void): unknown
  on(event: 'error', listener: (error: ServiceError) => void): unknown
  on(event: 'end', listener: () => void): unknown
  on(event: 'data', listener: (piece: wire.MetadataAnswer) => void): unknown
}

/**
 * The metadata service of one broker, from elsewhere: for a slave that follows it, for metadata-rpc's copy, and for administration. Each call
 * makes its own connection, so that a broker that is back is reached by the next call. All reject with `BrokerError`.
 */
export class GrpcMetadataClient implements MetadataSource {
  readonly #address: string
  readonly #secret: SetSecret

  /** `address` is the broker's gRPC `host:port`. */
  constructor(address: string, secret: SetSecret) {
    this.#address = address
    this.#secret = secret
  }

  async pull(cursor: Cursor | undefined, signal: AbortSignal): Promise<Answer> {
    let answer: Answer | undefined
    await this.#stream(
      (client, metadata) => client.pull({ cursor }, metadata),
      (whole) => {
        answer = whole
      },
      signal,
    )
    if (answer) return answer
    if (signal.aborted) throw new BrokerError('UNAVAILABLE', 'the metadata pull was given up')
    throw new BrokerError(
      'PROTOCOL_VIOLATION',
      `the broker at ${this.#address} gave no answer to a metadata pull`,
    )
  }

  watch(cursor: Cursor | undefined, onAnswer: (answer: Answer) => void, signal: AbortSignal): Promise<void> {
    let applied: ((cursor: Cursor) => void) | undefined
    return this.#stream(
      (client, metadata) => {
        const call = client.watch(metadata)
        call.write({ cursor })
        applied = (at) => call.write({ cursor: at })
        return call
      },
      (answer) => {
        onAnswer(answer)
        if (!signal.aborted) applied?.(answer.cursor) // What could not be applied ends the watch instead.
      },
      signal,
    )
  }

  async handBack(snapshot: Snapshot, signal: AbortSignal, claim?: LogClaim): Promise<void> {
    const answer = await this.#single<wire.HandBackAnswer>((client, metadata, done) => {
      const call = client.handBack(metadata, done)
      for (const part of partsOf(snapshot, claim)) call.write(part)
      call.end()
      return call
    }, signal)
    demandJudged(answer, claim)
  }

  /** Creates a topic or changes it. */
  async putTopic(topic: TopicWish): Promise<void> {
    await this.#admin<wire.AdminAnswer>((client, metadata, done) =>
      client.putTopic(topicToWire(topic), metadata, done),
    )
  }

  async deleteTopic(name: string): Promise<void> {
    await this.#admin<wire.AdminAnswer>((client, metadata, done) =>
      client.deleteTopic({ name }, metadata, done),
    )
  }

  /** Creates a subscription group or changes it. */
  async putGroup(group: GroupWish): Promise<void> {
    await this.#admin<wire.AdminAnswer>((client, metadata, done) =>
      client.putGroup(groupToWire(group), metadata, done),
    )
  }

  async deleteGroup(name: string): Promise<void> {
    await this.#admin<wire.AdminAnswer>((client, metadata, done) =>
      client.deleteGroup({ name }, metadata, done),
    )
  }

  /** As {@link MetadataAdmin.describe}: JSON text. */
  async describe(what = '', name = ''): Promise<string> {
    const answer = await this.#admin<wire.DescribeAnswer>((client, metadata, done) =>
      client.describe({ what, name }, metadata, done),
    )
    return answer.json
  }

  /** Runs a call that answers with a stream of answers. Resolves when the broker ends it or `signal` aborts. */
  #stream(
    begin: (client: wire.MetadataClient, metadata: Metadata) => AnswerCall,
    onAnswer: (answer: Answer) => void,
    signal: AbortSignal,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        resolve()
        return
      }
      const client = this.#client()
      const { metadata, checkProof } = this.#secret.sign('metadata')
      const call = begin(client, metadata)
      const pieces = new Pieces()
      let isOver = false
      const leave = (): void => end(undefined)
      const end = (error: BrokerError | undefined): void => {
        if (isOver) return
        isOver = true
        signal.removeEventListener('abort', leave)
        call.cancel()
        client.close()
        if (error) reject(error)
        else resolve()
      }
      watchCall(call, checkProof, end)
      signal.addEventListener('abort', leave, { once: true })
      call.on('data', ({ answer, partial }) => {
        if (isOver) return
        try {
          pieces.add(answer)
          if (!partial) onAnswer(decodeAnswer(pieces.take()))
        } catch (thrown) {
          end(errorOf(thrown))
        }
      })
    })
  }

  #admin<Result>(
    begin: (client: wire.MetadataClient, metadata: Metadata, done: Answered<Result>) => SingleCallEvents,
  ): Promise<Result> {
    return this.#single(begin, AbortSignal.timeout(ADMIN_TIMEOUT_MS))
  }

  #single<Result>(
    begin: (client: wire.MetadataClient, metadata: Metadata, done: Answered<Result>) => SingleCallEvents,
    signal: AbortSignal,
  ): Promise<Result> {
    const client = this.#client()
    const peer = `the broker at ${this.#address}`
    const call = {
      client,
      secret: this.#secret,
      purpose: 'metadata' as const,
      peer,
      begin: (metadata: Metadata, done: Answered<Result>) => begin(client, metadata, done),
    }
    return singleCall(call, signal).answered
  }

  #client(): wire.MetadataClient {
    return new wire.MetadataClient(this.#address, this.#secret.channelCredentials(), internalChannelOptions)
  }
}
