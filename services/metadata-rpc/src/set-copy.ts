import { join } from 'node:path'
import type { Clock, Files, Logger, Meter, Random } from '@tandemmq/base'
import { MetadataStore, MetadataSync, type MetadataSource } from '@tandemmq/metadata'
import type { SetServing } from '@tandemmq/registry'

export interface SetCopyPorts {
  readonly files: Files
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly meter: Meter
  /** The metadata service of the broker at `address`. */
  readonly metadataSource: (address: string) => MetadataSource
}

/** A copy holds no log: whatever the brokers say of their records is taken as they say it. */
const everyRecord = { knowsStamp: () => true }

/** A read-only copy of one set's metadata, so that routes and listings survive its brokers. Follows its master, or who is left. */
export class SetCopy implements AsyncDisposable {
  readonly set: string
  readonly store: MetadataStore
  readonly #ports: SetCopyPorts
  #following: { readonly address: string; readonly sync: MetadataSync } | undefined

  private constructor(set: string, store: MetadataStore, ports: SetCopyPorts) {
    this.set = set
    this.store = store
    this.#ports = ports
  }

  static async open(set: string, root: string, ports: SetCopyPorts): Promise<SetCopy> {
    const store = await MetadataStore.open(
      { root: join(root, 'sets', set), acceptEdits: false },
      { ...ports, log: everyRecord },
    )
    return new SetCopy(set, store, ports)
  }

  /** The registry says who is there. */
  follow(serving: SetServing): void {
    const alive = serving.members.filter((member) => member.alive)
    const source = alive.find((member) => member.role === 'master') ?? alive[0]
    if (source === undefined || source.grpcAddress === this.#following?.address) return
    this.#following?.sync.close()
    const sync = MetadataSync.start(
      {},
      this.#ports,
      this.#ports.metadataSource(source.grpcAddress),
      this.store,
    )
    this.#following = { address: source.grpcAddress, sync }
  }

  /** Asks for news now; resolves when they are here, or could not be had. */
  async refresh(): Promise<void> {
    await this.#following?.sync.pull()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#following?.sync.close()
    await this.store.close()
  }
}
