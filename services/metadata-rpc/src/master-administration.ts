import { GrpcMetadataClient, type SetSecret } from '@tandemmq/wire-grpc'
import type { SetAdministration } from './cluster-topics.ts'
import type { NewGroup } from './cluster-view.ts'

const types = ['NORMAL', 'FIFO', 'DELAY', 'TRANSACTION', 'MIXED'] as const

/** Makes topics and groups on a master, by its metadata service. */
export class MasterAdministration implements SetAdministration {
  readonly #word: SetSecret

  constructor(word: SetSecret) {
    this.#word = word
  }

  async putTopic(
    grpcAddress: string,
    topic: { readonly name: string; readonly queues: number; readonly type: string },
  ): Promise<void> {
    const { name, queues } = topic
    const type = types.find((known) => known === topic.type) ?? 'NORMAL'
    await new GrpcMetadataClient(grpcAddress, this.#word).putTopic({
      name,
      readQueues: queues,
      writeQueues: queues,
      type,
    })
  }

  async putGroup(grpcAddress: string, group: NewGroup): Promise<void> {
    await new GrpcMetadataClient(grpcAddress, this.#word).putGroup(group)
  }
}
