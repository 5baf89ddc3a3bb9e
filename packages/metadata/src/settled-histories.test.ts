import { SeededRandom, firstWrongHistory, type History } from '@tandemmq/testkit'
import { expect, test } from 'vitest'
import type { HeldPart, LogKnowledge, MetadataStore } from './index.ts'
import { World, acked, key } from './world.test-data.ts'

/** Messages of the queue; their records lie below all writes, and everybody has them. */
const MESSAGES = 12
const FIRST_WRITE = MESSAGES * 100

interface Write {
  readonly epoch: number
  readonly settles: number
}

/** Writes of 100 bytes, and the lineage. */
class WrittenLog implements LogKnowledge {
  writes: Write[] = []
  epochs: { readonly epoch: number; readonly start: number }[] = [{ epoch: 1, start: 0 }]

  get end(): number {
    return FIRST_WRITE + this.writes.length * 100
  }

  knowsStamp({ logEpoch, physicalOffset }: { logEpoch: number; physicalOffset: number }): boolean | 'later' {
    const newest = this.epochs.at(-1)?.epoch ?? 0
    const there = this.epochs.findLast(({ start }) => start <= physicalOffset)?.epoch
    if (physicalOffset < this.end) return there === logEpoch
    return logEpoch > newest || logEpoch === there ? 'later' : false
  }

  held(): HeldPart {
    return { end: MESSAGES, mayGrow: false }
  }
}

/** A broker, and what it must know to be acknowledged by consumers. */
interface Member {
  readonly name: number
  readonly log: WrittenLog
  store: MetadataStore
  readonly consumed: Set<number>
  /** It has asked the present master before. */
  isFollowing: boolean
}

/** Three brokers of one set; one is the master. */
class BrokerHistory implements History {
  readonly #world = new World()
  readonly #random: SeededRandom
  readonly #members: Member[] = []
  #master = 0

  private constructor(seed: number) {
    this.#random = new SeededRandom(seed)
  }

  static async begin(seed: number): Promise<BrokerHistory> {
    const history = new BrokerHistory(seed)
    for (const name of [0, 1, 2]) {
      const log = new WrittenLog()
      const store = await history.#store(log)
      history.#members.push({ name, log, store, consumed: new Set(), isFollowing: false })
    }
    return history
  }

  async step(): Promise<string> {
    const member = this.#member(this.#random.below(3))
    const offset = this.#random.below(MESSAGES)
    const what = this.#random.below(20)
    if (what < 6) return this.#settle(offset)
    if (what < 8) return this.#consume(member, offset)
    if (what < 12) return this.#copy(member, 1 + this.#random.below(3))
    if (what < 16) return this.#pull(member)
    if (what < 18) return this.#handBack(member)
    if (what < 19) return this.#restart(member)
    return this.#promote(member)
  }

  /** Sentences about what is wrong. */
  wrong(): string[] {
    return this.#members.flatMap(({ name, log, store, consumed }) => {
      const progress = store.progress.queue(key.group, key.topic, key.queueId)
      const written = new Set(log.writes.map(({ settles }) => settles))
      return Array.from({ length: MESSAGES }, (_, offset) => offset).flatMap((offset) => {
        const isAcked = progress.isAcked(offset)
        if (isAcked && !this.#isConsumed(offset) && !written.has(offset))
          return [`${name} holds ${offset} for settled, and neither a consumer nor its log says so`]
        if (!isAcked && written.has(offset)) return [`${name} offers ${offset}, which its log settles`]
        return !isAcked && consumed.has(offset) ? [`${name} forgot that ${offset} was consumed`] : []
      })
    })
  }

  #settle(offset: number): string {
    const { log, store } = this.#member(this.#master)
    const epoch = log.epochs.at(-1)?.epoch ?? 0
    this.#dispatch(store, { epoch, settles: offset }, log.end, () =>
      log.writes.push({ epoch, settles: offset }),
    )
    return `settle ${offset}`
  }

  /** As a broker does with what it appends or copies. */
  #dispatch(store: MetadataStore, { epoch, settles }: Write, at: number, append: () => void): void {
    append()
    store.logAdvanced()
    if (store.progress.queue(key.group, key.topic, key.queueId).isAcked(settles)) return
    const after = { logEpoch: epoch, physicalOffset: at }
    store.commit({ kind: 'ack', ...key, records: [{ ...acked(settles), after }] })
  }

  #consume({ name, store, consumed }: Member, offset: number): string {
    store.commit({ kind: 'ack', ...key, records: [acked(offset)] })
    consumed.add(offset)
    return `${name} consume ${offset}`
  }

  #copy(member: Member, count: number): string {
    const master = this.#member(this.#master)
    if (member === master) return ''
    this.#follow(member, master)
    const { log, store } = member
    for (const write of master.log.writes.slice(log.writes.length, log.writes.length + count))
      this.#dispatch(store, write, log.end, () => log.writes.push(write))
    return `${member.name} copy`
  }

  #pull(member: Member): string {
    const master = this.#member(this.#master)
    if (member === master) return ''
    this.#follow(member, master)
    const cursor = member.isFollowing ? member.store.followed : undefined
    member.store.applyRemote(master.store.changesSince(cursor))
    member.isFollowing = true
    for (const offset of master.consumed) member.consumed.add(offset)
    return `${member.name} pull ${cursor?.counter}`
  }

  #handBack(member: Member): string {
    const master = this.#member(this.#master)
    if (member === master) return ''
    this.#follow(member, master)
    master.store.merge(member.store.snapshot())
    for (const offset of member.consumed) master.consumed.add(offset)
    return `${member.name} hand back`
  }

  async #restart(member: Member): Promise<string> {
    const { log, store } = member
    member.store = await this.#store(log)
    member.store.merge(store.snapshot())
    for (const other of this.#members) other.isFollowing = false
    return `${member.name} restart`
  }

  #promote(member: Member): string {
    if (member.name === this.#master) return ''
    const epoch = 1 + Math.max(...this.#members.map(({ log }) => log.epochs.at(-1)?.epoch ?? 0))
    member.log.epochs = [...member.log.epochs, { epoch, start: member.log.end }]
    member.store.cutTo(() => MESSAGES)
    this.#master = member.name
    for (const other of this.#members) other.isFollowing = false
    return `${member.name} promote ${epoch}`
  }

  /** Each process numbers its changes under an epoch of its own. */
  async #store(log: LogKnowledge): Promise<MetadataStore> {
    await this.#world.clock.advance(1)
    return this.#world.store({}, log)
  }

  /** Cuts to what they have in common and takes over the lineage. */
  #follow({ log, store }: Member, master: Member): void {
    if (log.epochs.at(-1)?.epoch === master.log.epochs.at(-1)?.epoch) return
    const differs = log.writes.findIndex((write, at) => write.epoch !== master.log.writes[at]?.epoch)
    if (differs !== -1) log.writes.length = differs
    log.epochs = master.log.epochs
    store.lineageChanged()
  }

  #isConsumed(offset: number): boolean {
    return this.#members.some(({ consumed }) => consumed.has(offset))
  }

  #member(name: number): Member {
    const member = this.#members[name]
    if (member === undefined) throw new RangeError(`no member ${name}`)
    return member
  }
}

test('rule 5.5: what is held for settled was consumed or settled by a write of the own log, in 1,000 histories of three brokers', async () => {
  expect(await firstWrongHistory(1_000, 60, (seed) => BrokerHistory.begin(seed))).toBeUndefined()
})
