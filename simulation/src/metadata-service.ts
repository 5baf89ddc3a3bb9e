import { BrokerError, messageOf, type Address } from '@tandemmq/base'
import type { Broker } from '@tandemmq/broker'
import {
  answerWatch,
  decodeAnswer,
  decodeSnapshot,
  encodeAnswer,
  encodeSnapshot,
  type Cursor,
  type LogClaim,
  type MetadataSource,
  type Watcher,
} from '@tandemmq/metadata'
import { MessageExchange, type MessageStream, type StreamPorts } from './message-exchange.ts'

export const METADATA_PORT = 8082

type Up =
  | { readonly kind: 'pull'; readonly cursor: Cursor | undefined }
  | {
      readonly kind: 'watch'
      readonly identity: string
      readonly cursor: Cursor | undefined
      readonly passage: Watching
    }
  | { readonly kind: 'applied'; readonly cursor: Cursor }
  | { readonly kind: 'hand-back'; readonly snapshot: Buffer; readonly claim: LogClaim | undefined }
type Down =
  | { readonly kind: 'answer'; readonly answer: Buffer }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly why: string }

/** One watch, as neither end can see it: for the checkers only. */
export interface Watching {
  /** The process that watches, while it lives; it is another object in its next life. */
  readonly watcher: object
  /** The broker that answers; absent before it has heard of it. */
  watched?: Broker
  isOver: boolean
}

/** The metadata stream between brokers: what wire-grpc does, over simulated TCP and with the real encoding. */
export class MetadataService {
  readonly #exchange = new MessageExchange<Up, Down>()
  readonly #watches = new Map<object, Watching>()

  /** Whether this process watches that broker, with both alive and the connection between them open on both ends. */
  isWatching(watcher: object, broker: Broker): boolean {
    const watching = this.#watches.get(watcher)
    return watching?.watched === broker && !watching.isOver
  }

  /** What is returned ends it. */
  serve(ports: StreamPorts, address: Address, broker: Broker): Promise<() => void> {
    return this.#exchange.listen(ports, address, (stream) => accept(stream, broker))
  }

  /** The source for the process that has these ports, of the member `identity`. */
  source(ports: StreamPorts, identity: string, address: Address): MetadataSource {
    return {
      pull: async (cursor, signal) =>
        answerOf(await this.#exchange.ask(ports, address, { kind: 'pull', cursor }, signal)),
      watch: async (cursor, onAnswer, signal) => {
        const stream = await this.#exchange.connect(ports, address, signal)
        const passage: Watching = { watcher: ports, isOver: false }
        this.#watches.set(ports, passage)
        await new Promise<void>((resolve, reject) => {
          const end = (): void => {
            stream.close()
            resolve()
          }
          stream.start({
            message: (said) => {
              try {
                const answer = answerOf(said)
                onAnswer(answer)
                if (!signal.aborted) stream.send({ kind: 'applied', cursor: answer.cursor })
              } catch (cause) {
                reject(cause)
              }
            },
            closed: (why) => reject(new BrokerError('UNAVAILABLE', why)),
          })
          if (signal.aborted) return end()
          signal.addEventListener('abort', end, { once: true })
          stream.send({ kind: 'watch', identity, cursor, passage })
        }).finally(() => {
          passage.isOver = true
        })
      },
      handBack: async (snapshot, signal, claim) => {
        const question = { kind: 'hand-back', snapshot: encodeSnapshot(snapshot), claim } as const
        const answer = await this.#exchange.ask(ports, address, question, signal)
        if (answer.kind === 'failed') throw new BrokerError('UNAVAILABLE', answer.why)
      },
    }
  }
}

function accept(stream: MessageStream<Up, Down>, broker: Broker): void {
  const gone = new AbortController()
  const watchings: Watching[] = []
  let watcher: Watcher | undefined
  const answered = (answer: Parameters<typeof encodeAnswer>[0]): void =>
    stream.send({ kind: 'answer', answer: encodeAnswer(answer) })
  const failed = (cause: unknown): void => stream.send({ kind: 'failed', why: messageOf(cause) })
  stream.start({
    message: (said) => {
      if (said.kind === 'pull') return answered(broker.metadata.changesSince(said.cursor))
      if (said.kind === 'hand-back') {
        broker
          .takeBack(decodeSnapshot(said.snapshot), said.claim)
          .then(() => stream.send({ kind: 'done' }), failed)
        return
      }
      if (said.kind === 'applied') return watcher?.acknowledged(said.cursor)
      watcher = broker.watchers.join(said.identity, (why) => stream.hangUp(why))
      const send = async (answer: Parameters<typeof encodeAnswer>[0]): Promise<void> => answered(answer)
      said.passage.watched = broker
      watchings.push(said.passage)
      // As wire-grpc does, it says at once where it begins.
      const first = broker.metadata.changesSince(said.cursor)
      answered(first)
      answerWatch(broker.metadata, first.cursor, send, gone.signal).catch(failed)
    },
    closed: () => {
      gone.abort()
      watcher?.left()
      for (const watching of watchings) watching.isOver = true
    },
  })
}

function answerOf(said: Down): ReturnType<typeof decodeAnswer> {
  if (said.kind === 'answer') return decodeAnswer(said.answer)
  throw new BrokerError('UNAVAILABLE', said.kind === 'failed' ? said.why : 'no answer')
}
