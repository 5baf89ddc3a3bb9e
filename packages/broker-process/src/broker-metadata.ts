import { BrokerError } from '@tandemmq/base'
import type { Broker } from '@tandemmq/broker'
import type { GroupConfig, LogClaim, MetadataStore, Snapshot, TopicConfig, Watcher } from '@tandemmq/metadata'
import type { MetadataAdmin, MetadataProvider } from '@tandemmq/wire-grpc'

/** One broker's metadata as others follow and administer it. */
export class BrokerMetadata implements MetadataProvider, MetadataAdmin {
  readonly #broker: Broker

  constructor(broker: Broker) {
    this.#broker = broker
  }

  get store(): MetadataStore {
    return this.#broker.metadata
  }

  get admin(): MetadataAdmin {
    return this
  }

  takeBack(snapshot: Snapshot, _from: string, claim?: LogClaim): Promise<void> {
    return this.#broker.takeBack(snapshot, claim)
  }

  watched(identity: string, hangUp: (why: string) => void): Watcher {
    return this.#broker.watchers.join(identity, hangUp)
  }

  async putTopic(topic: TopicConfig): Promise<void> {
    this.#demandMaster()
    this.store.commit({ kind: 'topic-put', topic })
    await this.store.synced()
  }

  async deleteTopic(name: string): Promise<void> {
    this.#demandMaster()
    if (!this.store.topics.has(name)) throw new BrokerError('TOPIC_NOT_FOUND', `there is no topic ${name}`)
    this.store.commit({ kind: 'topic-delete', name })
    await this.store.synced()
  }

  async putGroup(group: GroupConfig): Promise<void> {
    this.#demandMaster()
    this.store.commit({ kind: 'group-put', group })
    await this.store.synced()
  }

  async deleteGroup(name: string): Promise<void> {
    this.#demandMaster()
    if (!this.store.groups.has(name)) throw new BrokerError('GROUP_NOT_FOUND', `there is no group ${name}`)
    this.store.commit({ kind: 'group-delete', name })
    await this.store.synced()
  }

  describe(what: string, name: string): Promise<string> {
    const { metadata, store, role, okMeans, problems, visible } = this.#broker
    switch (what) {
      case '':
        return text({
          role: role.kind,
          okMeans: role.kind === 'master' ? okMeans : undefined,
          problems,
          log: {
            min: store.minOffset,
            end: store.end,
            flushed: store.flushed.at,
            visible: visible.at,
            dispatched: store.dispatched.at,
            lineage: store.lineage,
          },
        })
      case 'topic':
        return text(metadata.topics.get(name) ?? null)
      case 'group':
        return text(metadata.groups.get(name) ?? null)
      default:
        return Promise.reject(
          new BrokerError('ILLEGAL_ARGUMENT', `describe knows "", topic and group, not ${what}`),
        )
    }
  }

  /** Only the master creates and deletes (rule 5.4). */
  #demandMaster(): void {
    if (this.#broker.role.kind === 'master') return
    throw new BrokerError(
      'NOT_WRITABLE',
      'this broker is a slave: topics and groups are changed on its master',
    )
  }
}

/** Maps as objects; a name like `__proto__` stays a plain key. */
function text(value: unknown): Promise<string> {
  return Promise.resolve(
    JSON.stringify(value, (_key, inner: unknown) =>
      inner instanceof Map ? Object.fromEntries(inner) : inner,
    ),
  )
}
