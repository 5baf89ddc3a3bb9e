import type { HandBackWay, LogClaim, Snapshot } from '@tandemmq/metadata'
import { registry as wire, type metadata } from '@tandemmq/rpc'
import { internalChannelOptions } from '../internal-client.ts'
import { demandJudged, partsOf } from '../metadata/hand-back-parts.ts'
import type { SetSecret } from '../set-secret.ts'
import { singleCall, type Answered } from '../single-call.ts'

/** Through metadata-rpc to the master of a set (rule 4.7). Each call makes its own connection. */
export class GrpcHandBackAround implements HandBackWay {
  readonly #address: string
  readonly #secret: SetSecret
  readonly #to: wire.HandBackAddress

  /** `address` is `host:port` of metadata-rpc. */
  constructor(address: string, secret: SetSecret, to: wire.HandBackAddress) {
    this.#address = address
    this.#secret = secret
    this.#to = to
  }

  async handBack(snapshot: Snapshot, signal: AbortSignal, claim?: LogClaim): Promise<void> {
    const client = new wire.RegistryClient(
      this.#address,
      this.#secret.channelCredentials(),
      internalChannelOptions,
    )
    const { answered } = singleCall(
      {
        client,
        secret: this.#secret,
        purpose: 'hand-back',
        peer: `metadata-rpc at ${this.#address}`,
        begin: (word, done: Answered<metadata.HandBackAnswer>) => {
          const call = client.handBack(word, done)
          let address: wire.HandBackAddress | undefined = this.#to
          for (const part of partsOf(snapshot, claim)) {
            call.write({ address, part })
            address = undefined
          }
          call.end()
          return call
        },
      },
      signal,
    )
    demandJudged(await answered, claim)
  }
}
