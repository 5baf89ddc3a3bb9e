import type { ServerDuplexStream } from '@grpc/grpc-js'
import { BrokerError, type Logger } from '@tandemmq/base'
import { answerWatch, encodeAnswer, type Answer, type Cursor, type Watcher } from '@tandemmq/metadata'
import type { metadata as wire } from '@tandemmq/rpc'
import { failureOf } from '../rpc-status.ts'
import type { MetadataProvider } from './metadata-provider.ts'
import { piecesOf } from './pieces.ts'

/** A stream of answers, as both calls that answer have it. */
export interface AnswerSink {
  write(message: wire.MetadataAnswer): boolean
  once(event: 'drain' | 'cancelled', listener: () => void): unknown
  off(event: 'drain' | 'cancelled', listener: () => void): unknown
}

/** Sends one answer, in pieces if it is large. Resolves when there is room for more; rejects if the call ends before, or `signal` aborts. */
export async function sendAnswer(sink: AnswerSink, answer: Answer, signal?: AbortSignal): Promise<void> {
  for (const { piece, isLast } of piecesOf(encodeAnswer(answer))) {
    if (!sink.write({ answer: piece, partial: !isLast })) await drained(sink, signal)
  }
}

/** Answers a watch: where it begins, then every change, until the watcher is gone or hung up on. */
export function serveWatch(
  call: ServerDuplexStream<wire.WatchMessage, wire.MetadataAnswer>,
  identity: string,
  provider: MetadataProvider,
  logger: Logger,
): void {
  const gone = new AbortController()
  let isWatching = false
  let watcher: Watcher | undefined
  const leave = (): void => {
    if (gone.signal.aborted) return
    gone.abort()
    watcher?.left()
  }
  const hangUp = (why: string): void => {
    if (gone.signal.aborted) return
    leave()
    call.emit('error', failureOf(new BrokerError('UNAVAILABLE', why)))
  }
  const watch = async (from: Cursor | undefined): Promise<void> => {
    // The first answer comes at once, be it empty: now the watcher knows that it watches.
    const first = provider.store.changesSince(from)
    const send = (answer: Answer): Promise<void> => sendAnswer(call, answer, gone.signal)
    await send(first)
    await answerWatch(provider.store, first.cursor, send, gone.signal)
  }
  call.on('data', ({ cursor }: wire.WatchMessage) => {
    if (gone.signal.aborted) return
    if (isWatching) {
      if (cursor) watcher?.acknowledged(cursor)
      return
    }
    isWatching = true
    watcher = provider.watched?.(identity, hangUp)
    watch(cursor).catch((thrown: unknown) => {
      if (gone.signal.aborted) return
      leave()
      const failure = failureOf(thrown)
      logger.warn({ watcher: identity, why: failure.details }, 'a metadata watch has failed')
      call.emit('error', failure)
    })
  })
  call.on('end', () => {
    leave()
    call.end()
  })
  call.on('cancelled', leave)
  call.on('error', leave)
}

function drained(sink: AnswerSink, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      sink.off('drain', hasRoom)
      sink.off('cancelled', isGone)
      signal?.removeEventListener('abort', isGone)
    }
    const hasRoom = (): void => {
      settle()
      resolve()
    }
    const isGone = (): void => {
      settle()
      reject(new BrokerError('UNAVAILABLE', 'the receiver of a metadata answer is gone'))
    }
    sink.once('drain', hasRoom)
    sink.once('cancelled', isGone)
    // A call that is hung up on from this side is not cancelled, and has no room any more.
    signal?.addEventListener('abort', isGone, { once: true })
    if (signal?.aborted === true) isGone()
  })
}
