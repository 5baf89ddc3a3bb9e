import type {
  Metadata,
  sendUnaryData,
  ServerDuplexStream,
  ServerReadableStream,
  ServerUnaryCall,
  ServerWritableStream,
} from '@grpc/grpc-js'
import { BrokerError, type Logger } from '@tandemmq/base'
import { decodeSnapshot, type LogClaim } from '@tandemmq/metadata'
import { metadata as wire } from '@tandemmq/rpc'
import { failureOf, type RpcFailure } from '../rpc-status.ts'
import type { GrpcServer } from '../server.ts'
import type { SetSecretGuard } from '../set-secret.ts'
import { sendAnswer, serveWatch } from './answer-stream.ts'
import { claimFromWire } from './hand-back-parts.ts'
import type { MetadataProvider } from './metadata-provider.ts'
import { Pieces } from './pieces.ts'
import { groupFromWire, topicFromWire } from './wishes.ts'

interface GuardedCall {
  readonly metadata: Metadata
  sendMetadata(proof: Metadata): void
  getPeer(): string
}

/** Serves a broker's metadata to those who follow it and those who administer it. */
export function addMetadataService(
  server: GrpcServer,
  provider: MetadataProvider,
  guard: SetSecretGuard,
  { logger }: { readonly logger: Logger },
): void {
  const { admin } = provider

  /** Who calls; otherwise `refuse` has been told. */
  const admit = (call: GuardedCall, refuse: (failure: RpcFailure) => void): string | undefined => {
    try {
      const { identity, proof } = guard.check('metadata', call.metadata)
      call.sendMetadata(proof)
      return identity
    } catch (thrown) {
      const failure = failureOf(thrown)
      logger.warn({ peer: call.getPeer(), why: failure.details }, 'a metadata call was refused')
      refuse(failure)
      return undefined
    }
  }

  const unary =
    <Request, Answer>(work: (request: Request) => Promise<Answer>) =>
    (call: ServerUnaryCall<Request, Answer>, done: sendUnaryData<Answer>): void => {
      if (admit(call, done) === undefined) return
      // `work` may also throw at once: arguments are judged in it.
      Promise.resolve(call.request)
        .then(work)
        .then(
          (answer) => done(null, answer),
          (thrown: unknown) => done(failureOf(thrown)),
        )
    }

  const change = <Request>(work: (request: Request) => Promise<void>) =>
    unary(async (request: Request): Promise<wire.AdminAnswer> => {
      await work(request)
      return {}
    })

  server.add(wire.MetadataService, {
    pull: (call: ServerWritableStream<wire.PullRequest, wire.MetadataAnswer>) => {
      const fail = (failure: RpcFailure): unknown => call.emit('error', failure)
      if (admit(call, fail) === undefined) return
      sendAnswer(call, provider.store.changesSince(call.request.cursor)).then(
        () => call.end(),
        (thrown: unknown) => fail(failureOf(thrown)),
      )
    },
    watch: (call: ServerDuplexStream<wire.WatchMessage, wire.MetadataAnswer>) => {
      const identity = admit(call, (failure) => call.emit('error', failure))
      if (identity !== undefined) serveWatch(call, identity, provider, logger)
    },
    handBack: (
      call: ServerReadableStream<wire.HandBackPart, wire.HandBackAnswer>,
      done: sendUnaryData<wire.HandBackAnswer>,
    ) => {
      const identity = admit(call, done)
      if (identity === undefined) return
      receivedWhole(call)
        .then(async ({ snapshot, claim }) => {
          await provider.takeBack(decodeSnapshot(snapshot), identity, claim)
          return { judged: claim !== undefined }
        })
        .then(
          (answer) => done(null, answer),
          (thrown: unknown) => {
            const failure = failureOf(thrown)
            logger.warn({ from: identity, why: failure.details }, 'a hand-back was not taken')
            done(failure)
          },
        )
    },
    putTopic: change((request: wire.PutTopicRequest) => admin.putTopic(topicFromWire(request))),
    deleteTopic: change((request: wire.DeleteTopicRequest) => admin.deleteTopic(request.name)),
    putGroup: change((request: wire.PutGroupRequest) => admin.putGroup(groupFromWire(request))),
    deleteGroup: change((request: wire.DeleteGroupRequest) => admin.deleteGroup(request.name)),
    describe: unary(async ({ what, name }: wire.DescribeRequest): Promise<wire.DescribeAnswer> => {
      return { json: await admin.describe(what, name) }
    }),
  })
}

interface HandedBack {
  readonly snapshot: Buffer
  readonly claim: LogClaim | undefined
}

/** All pieces; rejects if the call ends before its end. */
function receivedWhole(
  call: ServerReadableStream<wire.HandBackPart, wire.HandBackAnswer>,
): Promise<HandedBack> {
  return new Promise((resolve, reject) => {
    const pieces = new Pieces()
    let claim: LogClaim | undefined
    let isWhole = false
    const broken = (): void => reject(new BrokerError('UNAVAILABLE', 'the hand-back broke off'))
    call.on('data', (part: wire.HandBackPart) => {
      try {
        if (part.claim !== undefined) claim = claimFromWire(part.claim)
        pieces.add(part.snapshot)
        isWhole = part.last
      } catch (thrown) {
        call.pause()
        reject(thrown)
      }
    })
    // What breaks off ends too, before it is known as cancelled. Without a claim it may come from an older slave, which marks no last part.
    call.on('end', () =>
      isWhole || claim === undefined ? resolve({ snapshot: pieces.take(), claim }) : broken(),
    )
    call.on('cancelled', broken)
    call.on('error', reject)
  })
}
