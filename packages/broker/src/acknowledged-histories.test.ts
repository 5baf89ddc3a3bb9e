import { Frontier, silentLogger, silentMeter } from '@tandemmq/base'
import type { Lineage } from '@tandemmq/codec'
import { commonPoint } from '@tandemmq/ha-protocol'
import { MetadataStore } from '@tandemmq/metadata'
import {
  SeededRandom,
  SimulatedClock,
  SimulatedFiles,
  firstWrongHistory,
  type History,
} from '@tandemmq/testkit'
import { expect, test } from 'vitest'
import { knowledgeOf, type KnownLog } from './log-knowledge.ts'

const RECORD_BYTES = 100
const TOPIC = 'Orders'
const QUEUES = [0, 1]

interface Message {
  readonly id: number
  readonly epoch: number
  readonly queueId: number
}

/** A log of messages of one size, and its lineage. */
class MessageLog implements KnownLog {
  messages: Message[] = []
  lineage: Lineage = { logId: '0'.repeat(32), epochs: [{ epoch: 1, start: 0, opener: '' }] }

  get end(): number {
    return this.messages.length * RECORD_BYTES
  }

  get dispatched(): Frontier {
    return new Frontier(this.end)
  }

  epochAt(offset: number): number {
    return this.messages[Math.floor(offset / RECORD_BYTES)]?.epoch ?? 0
  }

  /** Where the records of a queue lie. */
  places(queueId: number): number[] {
    return this.messages.flatMap((message, at) => (message.queueId === queueId ? [at * RECORD_BYTES] : []))
  }

  queue(_topic: string, queueId: number) {
    const places = this.places(queueId)
    return {
      maxOffset: places.length,
      offsetAtOrAfter: (start: number) => places.filter((place) => place < start).length,
      unit: (queueOffset: number) => {
        const offset = places[queueOffset]
        return offset === undefined ? undefined : { offset, size: RECORD_BYTES, tagsCode: 0n }
      },
    }
  }
}

interface Member {
  readonly name: number
  readonly log: MessageLog
  store: MetadataStore
  /** Acknowledged to it, of what its log has had ever since. */
  readonly taken: Set<number>
  /** It has asked the present master before. */
  isFollowing: boolean
}

/** Three brokers of one asynchronous set; one is the master. */
class BrokerHistory implements History {
  readonly #clock = new SimulatedClock()
  readonly #random: SeededRandom
  readonly #members: Member[] = []
  readonly #consumed = new Set<number>()
  #master = 0
  #messages = 0

  private constructor(seed: number) {
    this.#random = new SeededRandom(seed)
  }

  static async begin(seed: number): Promise<BrokerHistory> {
    const history = new BrokerHistory(seed)
    for (const name of [0, 1, 2]) {
      const log = new MessageLog()
      history.#members.push({
        name,
        log,
        store: await history.#store(log),
        taken: new Set(),
        isFollowing: false,
      })
    }
    return history
  }

  async step(): Promise<string> {
    const member = this.#member(this.#random.below(3))
    const what = this.#random.below(22)
    if (what < 6) return this.#send()
    if (what < 11) return this.#consume(member)
    if (what < 15) return this.#copy(member, 1 + this.#random.below(4))
    if (what < 17) return this.#pull(member)
    if (what < 19) return this.#handBack(member)
    if (what < 20) return this.#restart(member)
    if (what < 21) return this.#losePower(member, this.#random.below(4))
    return this.#promote(member)
  }

  /** Sentences about what is wrong. */
  wrong(): string[] {
    return this.#members.flatMap(({ name, log, store, taken }) =>
      QUEUES.flatMap((queueId) => {
        const progress = store.progress.queue('G', TOPIC, queueId)
        return log.places(queueId).flatMap((place, queueOffset) => {
          const id = log.messages[place / RECORD_BYTES]?.id ?? 0
          const isAcked = progress.isAcked(queueOffset)
          if (isAcked && !this.#consumed.has(id)) return [`${name} holds ${id}, which nobody has seen`]
          // A newer generation voids what it has not heard of (rule 5.4).
          const isKept = progress.generation.counter === 0 && taken.has(id)
          return isKept && !isAcked ? [`${name} forgot ${id}`] : []
        })
      }),
    )
  }

  #send(): string {
    const { log, store } = this.#member(this.#master)
    const epoch = log.lineage.epochs.at(-1)?.epoch ?? 0
    const queueId = this.#random.below(QUEUES.length)
    this.#messages += 1
    log.messages.push({ id: this.#messages, epoch, queueId })
    store.logAdvanced()
    return `send ${this.#messages}`
  }

  #consume({ name, log, store, taken, isFollowing }: Member): string {
    // Who has not heard of the cut of a new epoch gives up again what it took before it hears.
    if (name !== this.#master && !isFollowing) return ''
    const queueId = this.#random.below(QUEUES.length)
    const places = log.places(queueId)
    const queueOffset = store.progress.queue('G', TOPIC, queueId).firstUnacked(this.#random.below(3))
    const place = places[queueOffset]
    if (place === undefined) return ''
    const stamp = { logEpoch: log.epochAt(place), physicalOffset: place }
    store.commit({ kind: 'ack', group: 'G', topic: TOPIC, queueId, records: [{ queueOffset, stamp }] })
    const id = log.messages[place / RECORD_BYTES]?.id ?? 0
    this.#consumed.add(id)
    taken.add(id)
    return `${name} consume ${id}`
  }

  #copy(member: Member, count: number): string {
    const master = this.#member(this.#master)
    if (member === master) return ''
    this.#follow(member, master)
    const { log, store } = member
    for (const message of master.log.messages.slice(log.messages.length, log.messages.length + count)) {
      log.messages.push(message)
      store.logAdvanced()
    }
    return `${member.name} copy ${count}`
  }

  #pull(member: Member): string {
    const master = this.#member(this.#master)
    if (member === master) return ''
    this.#follow(member, master)
    member.store.applyRemote(
      master.store.changesSince(member.isFollowing ? member.store.followed : undefined),
    )
    member.isFollowing = true
    return `${member.name} pull`
  }

  #handBack(member: Member): string {
    const master = this.#member(this.#master)
    if (member === master) return ''
    this.#follow(member, master)
    master.store.merge(member.store.snapshot())
    return `${member.name} hand back`
  }

  async #restart(member: Member): Promise<string> {
    const { log, store } = member
    member.store = await this.#store(log)
    member.store.merge(store.snapshot())
    for (const other of this.#members) other.isFollowing = false
    return `${member.name} restart`
  }

  /** The end of a slave's log is gone; its journal is not. */
  #losePower(member: Member, count: number): string {
    if (member.name === this.#master) return ''
    cutTo(member, Math.max(0, member.log.messages.length - count))
    return `${member.name} lose ${count}`
  }

  #promote(member: Member): string {
    if (member.name === this.#master) return ''
    const { log, store, name } = member
    const newest = this.#members.map((other) => other.log.lineage.epochs.at(-1)?.epoch ?? 0)
    const epoch = 100 + Math.max(...newest)
    const kept = log.lineage.epochs.filter(({ start }) => start < log.end)
    log.lineage = { ...log.lineage, epochs: [...kept, { epoch, start: log.end, opener: '' }] }
    store.cutTo((_topic, queueId) => log.places(queueId).length)
    this.#master = name
    for (const other of this.#members) other.isFollowing = false
    return `${name} promote ${epoch}`
  }

  /** Cuts to what they have in common and takes over the lineage. */
  #follow(member: Member, master: Member): void {
    const { log, store } = member
    const newest = log.lineage.epochs.at(-1)?.epoch
    if (newest === master.log.lineage.epochs.at(-1)?.epoch) return
    const common = commonPoint(master.log.lineage, master.log.end, log.lineage, log.end) ?? 0
    cutTo(member, Math.min(log.messages.length, common / RECORD_BYTES))
    log.lineage = master.log.lineage
    store.lineageChanged()
  }

  /** Each process numbers its changes under an epoch of its own. */
  async #store(log: MessageLog): Promise<MetadataStore> {
    await this.#clock.advance(1)
    const files = new SimulatedFiles({ clock: this.#clock, random: this.#random })
    const ports = { files, clock: this.#clock, logger: silentLogger, meter: silentMeter }
    return MetadataStore.open({}, { ...ports, log: knowledgeOf(log) })
  }

  #member(name: number): Member {
    const member = this.#members[name]
    if (member === undefined) throw new RangeError(`no member ${name}`)
    return member
  }
}

function cutTo({ log, taken }: Member, count: number): void {
  for (const { id } of log.messages.splice(count)) taken.delete(id)
}

test('rule 5.2: nobody holds a message for acknowledged that no consumer has seen, nor forgets what was acknowledged to it and it still has, in 2,000 histories of three brokers', async () => {
  expect(await firstWrongHistory(2_000, 160, (seed) => BrokerHistory.begin(seed))).toBeUndefined()
})
