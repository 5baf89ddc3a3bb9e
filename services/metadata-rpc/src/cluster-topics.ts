import { BrokerError, messageOf, type Clock } from '@tandemmq/base'
import type { ServingView } from '@tandemmq/registry'
import type { RouteCatalog, TopicPlacement } from '@tandemmq/wire-grpc'
import type { NewGroup, NewTopic } from './cluster-view.ts'
import type { SetCopies } from './set-copies.ts'

/** How topics and groups are made on a set: by its master. */
export interface SetAdministration {
  putTopic(
    grpcAddress: string,
    topic: { readonly name: string; readonly queues: number; readonly type: string },
  ): Promise<void>
  putGroup(grpcAddress: string, group: NewGroup): Promise<void>
}

export interface TopicRules {
  /** A topic that a client asks for comes to be. */
  readonly create: boolean
  readonly queues: number
}

/** How long a master is waited for that is late, or on its way back. A client waits 3 s. */
const MASTER_WITHIN_MS = 2_000

/** Topics and groups of all sets: read from the copies, made on the masters. */
export class ClusterTopics implements RouteCatalog {
  readonly #copies: SetCopies
  readonly #view: ServingView
  readonly #administration: SetAdministration
  readonly #rules: TopicRules
  readonly #clock: Clock
  /** Topics that are being made: many clients ask for the same one at once. */
  readonly #making = new Map<string, Promise<void>>()

  constructor(
    copies: SetCopies,
    view: ServingView,
    administration: SetAdministration,
    rules: TopicRules,
    clock: Clock,
  ) {
    this.#copies = copies
    this.#view = view
    this.#administration = administration
    this.#rules = rules
    this.#clock = clock
  }

  topic(name: string): readonly TopicPlacement[] {
    return [...this.#copies].flatMap(({ set, store }) => {
      const topic = store.topics.get(name)
      return topic === undefined ? [] : [{ set, ...topic }]
    })
  }

  group(name: string): ReturnType<RouteCatalog['group']> {
    for (const { store } of this.#copies) {
      const group = store.groups.get(name)
      if (group !== undefined) return group
    }
    return undefined
  }

  async createTopic(name: string): Promise<readonly TopicPlacement[]> {
    if (!this.#rules.create) return []
    const making = this.#making.get(name) ?? this.makeTopic({ name, type: 'MIXED' })
    this.#making.set(name, making)
    try {
      await making
    } catch (cause) {
      if (!(cause instanceof BrokerError)) throw cause
    } finally {
      this.#making.delete(name)
    }
    return this.topic(name)
  }

  /** On all sets that have a writable master, or on the one that is named. Throws `NO_WRITABLE_BROKER`. */
  async makeTopic(topic: NewTopic): Promise<void> {
    const { name, type = 'NORMAL', queues = this.#rules.queues } = topic
    await this.#onMasters(topic.set, (address) =>
      this.#administration.putTopic(address, { name, type, queues }),
    )
  }

  async makeGroup(group: NewGroup): Promise<void> {
    await this.#onMasters(undefined, (address) => this.#administration.putGroup(address, group))
  }

  async #onMasters(only: string | undefined, make: (grpcAddress: string) => Promise<void>): Promise<void> {
    const masters = await this.#masters(only)
    if (masters.length === 0) {
      const where = only === undefined ? 'the cluster' : `the broker set ${only}`
      throw new BrokerError('NO_WRITABLE_BROKER', `${where} has no writable master now, try again`)
    }
    const outcomes = await Promise.allSettled(
      masters.map(async ({ set, address }) => {
        await make(address)
        await this.#copies.of(set)?.refresh()
      }),
    )
    const failed = outcomes.find((outcome) => outcome.status === 'rejected')
    if (failed === undefined) return
    if (failed.reason instanceof BrokerError) throw failed.reason
    throw new BrokerError('UNAVAILABLE', messageOf(failed.reason), { cause: failed.reason })
  }

  /** The writable masters; where there is none, those of the first moment in which there is one. */
  #masters(only: string | undefined): Promise<readonly Master[]> {
    const now = writableMasters(this.#view, only)
    if (now.length > 0) return Promise.resolve(now)
    return new Promise((resolve) => {
      const end = (masters: readonly Master[]): void => {
        stop()
        timer.cancel()
        resolve(masters)
      }
      const stop = this.#view.onChange(() => {
        const masters = writableMasters(this.#view, only)
        if (masters.length > 0) end(masters)
      })
      const timer = this.#clock.after(MASTER_WITHIN_MS, () => end([]))
    })
  }
}

interface Master {
  readonly set: string
  readonly address: string
}

function writableMasters(view: ServingView, only: string | undefined): readonly Master[] {
  return view.sets.flatMap(({ set, writable }) =>
    writable === undefined || (only !== undefined && set !== only)
      ? []
      : [{ set, address: writable.grpcAddress }],
  )
}
