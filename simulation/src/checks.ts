import type { Cluster } from './cluster.ts'
import type { Knowledge } from './knowledge.ts'
import type { Contact, Entry, Ledger } from './ledger.ts'
import type { Misfortunes } from './misfortunes.ts'

/** What a life has to answer for when it is over. */
export interface Witnesses {
  readonly cluster: Cluster
  readonly ledger: Ledger
  readonly knowledge: Knowledge
  readonly misfortunes: Misfortunes
  /** Old files of the logs were removed. */
  readonly expires: boolean
}

export interface Verdict {
  /** Sentences; empty = all that was promised was kept. */
  readonly violations: readonly string[]
  /** Acknowledged messages that came again from a member that could not know of it. */
  readonly excused: number
}

export function verdictOf(witnesses: Witnesses): Verdict {
  const { ledger, cluster, expires } = witnesses
  const isGone = expires ? goneFrom(cluster) : () => false
  const again = ledger.entries.flatMap((entry) => comesAgain(entry, witnesses))
  return {
    violations: [
      ...ledger.phantoms.map((id) => `phantom: ${id} was received and never sent`),
      ...ledger.entries.flatMap((entry) => fateViolations(entry, isGone(entry))),
      ...again.filter((words) => words !== undefined),
      ...(cluster.brokers.some(({ state }) => state === 'down')
        ? unsafeReads(witnesses)
        : logViolations(cluster)),
      ...cluster.brokers.flatMap((node) => queueViolations(node, expires)),
    ],
    excused: again.filter((words) => words === undefined).length,
  }
}

/** Whether a message has expired: no log holds it any more. */
export function goneFrom(cluster: Cluster): (entry: Entry) => boolean {
  const kept = Buffer.concat(cluster.brokers.flatMap((node) => bytesOf(node) ?? []))
  return ({ id }) => !kept.includes(`\u0001${id}\u0002`)
}

function fateViolations({ id, fate, due, delivered, acked, mayBeAcked }: Entry, isGone: boolean): string[] {
  const wrong: string[] = []
  if (fate === 'ok' && delivered.length === 0 && !isGone)
    wrong.push(`lost: ${id} was promised and never received`)
  if (fate === 'ok' && delivered.length > 0 && acked.length === 0 && !mayBeAcked && !isGone)
    wrong.push(`stuck: ${id} was never acknowledged`)
  if (fate === 'refused' && delivered.length > 0) wrong.push(`phantom: ${id} was refused and yet received`)
  const first = delivered[0]
  if (due !== undefined && first !== undefined && first.wall < due) {
    wrong.push(`early: ${id} was received ${due - first.wall} ms before it was due`)
  }
  return wrong
}

/** One item per delivery after an acknowledgement: a sentence, or undefined where it is excused. */
function comesAgain(entry: Entry, { knowledge, misfortunes }: Witnesses): (string | undefined)[] {
  return entry.delivered.flatMap((delivery) => {
    const before = entry.acked.filter((ack) => ack.at < delivery.at)
    if (before.length === 0) return []
    const culprit = before.find((ack) =>
      knowledge.mustKnow(ack, delivery.by, delivery.at, misfortunes.powerCuts),
    )
    return [
      culprit &&
        `again: ${entry.id} was acknowledged at ${told(culprit)} and delivered again at ${told(delivery)}`,
    ]
  })
}

function told({ by, at, epoch, attempt }: Contact): string {
  return `${by} (${at} ms, epoch …${epoch % 1_000_000}, attempt ${attempt})`
}

function logViolations({ master, slaves }: Cluster): string[] {
  const log = bytesOf(master)
  const begin = master.broker?.store.minOffset ?? 0
  if (log === undefined) return ['the master is not up at the end']
  const wrong: string[] = []
  for (const slave of slaves) {
    const whole = bytesOf(slave)
    const slaveBegin = slave.broker?.store.minOffset ?? 0
    // What both keep: each lets old files expire by itself.
    const from = Math.max(begin, slaveBegin)
    const copy = whole?.subarray(from - slaveBegin)
    const own = log.subarray(from - begin)
    if (copy === undefined) wrong.push(`${slave.name} is not up at the end`)
    else if (!copy.equals(own.subarray(0, copy.length))) {
      const at = from + copy.findIndex((byte, index) => byte !== own[index])
      wrong.push(`${slave.name}: its log differs from the master's at ${at}`)
    } else if (copy.length !== own.length)
      wrong.push(`${slave.name}: its log ends at ${from + copy.length}, not ${from + own.length}`)
  }
  return wrong
}

/** A machine is lost: in synchronous mode nobody was shown what is not on the other one. */
function unsafeReads({ cluster, ledger }: Witnesses): string[] {
  const logs = Buffer.concat(cluster.brokers.flatMap((node) => bytesOf(node) ?? []))
  return ledger.entries
    .filter(({ id, delivered }) => delivered.length > 0 && !logs.includes(`\u0001${id}\u0002`))
    .map(({ id }) => `unsafe read: ${id} was received and is on no disk that is left`)
}

function bytesOf({ broker }: Cluster['master']): Buffer | undefined {
  if (broker === undefined) return undefined
  const { store } = broker
  const parts: Buffer[] = []
  for (let at = store.minOffset; at < store.end;) {
    const part = store.read(at, 1024 * 1024)
    parts.push(part)
    at += part.length
  }
  return Buffer.concat(parts)
}

/** Queue offsets are dense, and every unit points to the record that carries its offset. */
function queueViolations({ name, broker }: Cluster['master'], expires: boolean): string[] {
  if (broker === undefined) return []
  const { store } = broker
  const wrong: string[] = []
  for (const { topic, queueId, minOffset, maxOffset } of store.queueOffsets()) {
    if (minOffset !== 0 && !expires) wrong.push(`${name}: ${topic}/${queueId} begins at ${minOffset}`)
    for (let at = minOffset; at < maxOffset; at += 1) {
      const unit = store.queue(topic, queueId)?.unit(at)
      const record = unit && store.record(unit.offset, unit.size)
      if (record?.queueOffset !== at || record.queueId !== queueId || record.topic !== topic) {
        wrong.push(`${name}: ${topic}/${queueId} has no record of its own at ${at}`)
      }
    }
  }
  return wrong
}
