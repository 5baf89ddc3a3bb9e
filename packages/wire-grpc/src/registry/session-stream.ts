import type { ServerDuplexStream } from '@grpc/grpc-js'
import { BrokerError, type Clock, type Logger } from '@tandemmq/base'
import { failureOf } from '../rpc-status.ts'
import type { Purpose, SetSecretGuard } from '../set-secret.ts'

/** Who opens a stream and says nothing is hung up on after this long. */
const HELLO_TIMEOUT_MS = 3000

export interface SessionStreamPorts {
  readonly guard: SetSecretGuard
  readonly clock: Clock
  readonly logger: Logger
}

/** What a stream carries: a hello, then statuses. */
export interface SessionWords<Up> {
  /** The first message; what it begins is closed with the stream. */
  begin(message: Up, caller: string, refuse: (thrown: unknown) => void): { close(): void }
  /** Every later one. */
  hear(message: Up): void
}

/** Serves one session at a registry: who calls proves that it knows the secret, says hello in time, and hears why it is refused. */
export function serveSession<Up, Down>(
  stream: ServerDuplexStream<Up, Down>,
  purpose: Purpose,
  words: SessionWords<Up>,
  { guard, clock, logger }: SessionStreamPorts,
): void {
  let session: { close(): void } | undefined
  let isOver = false
  const leave = (): void => {
    isOver = true
    timer.cancel()
    session?.close()
  }
  const refuse = (thrown: unknown): void => {
    if (isOver) return
    leave()
    const failure = failureOf(thrown)
    // The one line of it: whoever hangs up says why, and only here is known on whom.
    const { code, facts: { reason } = {} } = thrown instanceof BrokerError ? thrown : {}
    const facts = { peer: stream.getPeer(), member: caller, reason: reason ?? code, why: failure.details }
    // Nobody is at fault when the registry itself stops.
    logger[code === 'UNAVAILABLE' ? 'debug' : 'warn'](facts, 'registration ended')
    stream.emit('error', failure)
  }
  const timer = clock.after(HELLO_TIMEOUT_MS, () => {
    refuse(new BrokerError('PROTOCOL_VIOLATION', `no hello came within ${HELLO_TIMEOUT_MS} ms`))
  })
  let caller = ''
  try {
    const { identity, proof } = guard.check(purpose, stream.metadata)
    caller = identity
    stream.sendMetadata(proof)
  } catch (thrown) {
    refuse(thrown)
    return
  }
  stream.on('data', (message: Up) => {
    if (isOver) return
    try {
      if (session) words.hear(message)
      else {
        session = words.begin(message, caller, refuse)
        timer.cancel()
      }
    } catch (thrown) {
      refuse(thrown)
    }
  })
  stream.on('end', () => {
    if (!isOver) {
      leave()
      stream.end()
    }
  })
  stream.on('cancelled', leave)
  stream.on('error', leave)
}

/** A message of the wrong kind. */
export function outOfOrder(): BrokerError {
  return new BrokerError('PROTOCOL_VIOLATION', 'a registration is one hello, then statuses')
}
