import { propertyOf } from '@tandemmq/codec'
import type { Broker } from '@tandemmq/broker'
import { logBytes } from '@tandemmq/testkit'
import type { Cluster } from './cluster.ts'
import { TIMER_TOPIC } from './put-timers.ts'
import { recordsOf } from './written-log.ts'

const SAMPLE_MS = 250

/** A record that was read in a log. */
interface Seen {
  readonly epoch: number
  readonly physicalOffset: number
  readonly queueOffset: number
}

/** What was read of one broker's log, and is of its lineage still. What it cut off of that comes again. */
interface ReadLog {
  readonly broker: Broker
  lineage: string
  /** Behind the last whole record. */
  upTo: number
  /** Scheduled records, by the marks of what puts them into their topics. */
  readonly scheduled: Map<string, Seen>
  /** What puts them there. */
  readonly puts: Map<string, Seen>
}

/**
 * All through a life no broker that leads or follows holds a scheduled message for put that is not put in its own log (rule 5.5): what was lost with a cut or was
 * not copied yet would never be put by a broker that believes that. What expired before it was due is dropped by its master, and done without a put.
 */
export class SettledWatch {
  readonly #cluster: Cluster
  readonly #violate: (words: string) => void
  readonly #logs = new Map<string, ReadLog>()
  #isLooking = false
  /** No scheduled record below that has to be put: some broker's log begins there. */
  #expiredTo = 0

  constructor(cluster: Cluster, violate: (words: string) => void) {
    this.#cluster = cluster
    this.#violate = violate
  }

  begin(): void {
    this.#isLooking = true
    this.#sample()
  }

  /** To be told of every broker. */
  opened(name: string, broker: Broker): void {
    const { minOffset } = broker.store
    this.#logs.set(name, { broker, lineage: '', upTo: minOffset, scheduled: new Map(), puts: new Map() })
    this.#read(name, broker)
    broker.store.onSession(() => this.#lookAfterCut(name, broker))
  }

  /** In the very moment in which it goes on: a successor soon puts the message again. */
  #lookAfterCut(name: string, broker: Broker): void {
    if (this.#cluster.broker(name)?.broker !== broker || !this.#isLooking) return
    if (isInLine(broker)) this.#look(name, broker)
    else this.#cluster.time.after(1, () => this.#lookAfterCut(name, broker))
  }

  #sample(): void {
    const { brokers, time } = this.#cluster
    for (const { name, broker } of brokers)
      if (broker !== undefined && isInLine(broker)) this.#look(name, broker)
    time.after(SAMPLE_MS, () => this.#sample())
  }

  #look(name: string, broker: Broker): void {
    const { store, metadata } = broker
    this.#expiredTo = Math.max(this.#expiredTo, ...this.#cluster.brokers.map(beginOf))
    const log = this.#read(name, broker)
    // A copy may end within the record that puts it.
    if (log === undefined || log.upTo < store.end) return
    for (const [mark, { queueOffset, physicalOffset }] of log.scheduled) {
      const isKept = physicalOffset >= this.#expiredTo
      if (!isKept || log.puts.has(mark)) log.scheduled.delete(mark)
      else if (metadata.delay.isDone(queueOffset)) {
        log.scheduled.delete(mark)
        this.#violate(
          `not put: ${name} holds the scheduled record ${mark} for put, and its log does not say so`,
        )
      }
    }
  }

  #read(name: string, { store }: Broker): ReadLog | undefined {
    const log = this.#logs.get(name)
    if (log === undefined || log.broker.store !== store) return undefined
    const lineage = JSON.stringify(store.lineage)
    if (lineage !== log.lineage) {
      log.lineage = lineage
      log.upTo = store.minOffset
      for (const seen of [log.scheduled, log.puts]) {
        for (const [mark, { epoch, physicalOffset }] of seen)
          if (store.epochAt(physicalOffset) !== epoch) seen.delete(mark)
      }
    }
    const from = Math.max(log.upTo, store.minOffset)
    const bytes = from < store.end ? logBytes(store, from) : Buffer.alloc(0)
    for (const [physicalOffset, record] of recordsOf(bytes, from, store.segmentBytes)) {
      const { topic, queueOffset, properties, size } = record
      const seen = { epoch: store.epochAt(physicalOffset), physicalOffset, queueOffset }
      const mark = propertyOf(properties, '__TMQ_SCHEDULED')
      if (mark !== undefined) log.puts.set(mark, seen)
      if (topic === TIMER_TOPIC) log.scheduled.set(`${queueOffset}@${physicalOffset}`, seen)
      log.upTo = physicalOffset + size
    }
    return log
  }
}

/** Where its log begins. */
function beginOf({ broker }: { readonly broker: Broker | undefined }): number {
  return broker?.store.minOffset ?? 0
}

/** Its log has the lineage of the newest master that it knows. */
function isInLine({ role }: Broker): boolean {
  return role.kind === 'master' ? role.writability.isWritable : role.masterConnected
}
