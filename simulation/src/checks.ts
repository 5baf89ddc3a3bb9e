import type { Cluster } from './cluster.ts'
import type { Loss } from './loss.ts'
import type { Knowledge } from './knowledge.ts'
import type { Contact, Entry, Ledger } from './ledger.ts'
import type { Misfortunes } from './misfortunes.ts'
import { TIMER_TOPIC, timerViolations } from './put-timers.ts'
import { queueViolations } from './queue-checks.ts'
import { valueViolations } from './values.ts'
import { WrittenLog } from './written-log.ts'

/** What a life has to answer for when it is over. */
export interface Witnesses {
  readonly cluster: Cluster
  readonly ledger: Ledger
  readonly knowledge: Knowledge
  readonly misfortunes: Misfortunes
  /** Old files of the logs were removed. */
  readonly expires: boolean
  /** The end of the log was lost, in asynchronous mode. */
  readonly loss: Loss | undefined
}

export interface Verdict {
  /** Sentences; empty = all that was promised was kept. */
  readonly violations: readonly string[]
  /** Acknowledged messages that came again from a member that could not know of it. */
  readonly excused: number
}

export function verdictOf(witnesses: Witnesses): Verdict {
  const { ledger, cluster, expires, loss, misfortunes } = witnesses
  const { entries } = ledger
  const isGone = expires ? goneFrom(cluster) : () => false
  const again = entries.flatMap((entry) => comesAgain(entry, witnesses))
  const { broker } = cluster.master
  const log = broker && new WrittenLog(broker)
  return {
    violations: [
      ...ledger.phantoms.map((id) => `phantom: ${id} was received and never sent`),
      ...entries.flatMap((entry) =>
        fateViolations(entry, isGone(entry) || loss?.isLost(entry) === true, misfortunes.jumpedMs),
      ),
      ...again.filter((words) => words !== undefined),
      ...logViolations(cluster, log),
      ...valueViolations(entries, log, loss),
      ...(broker && log ? timerViolations(broker, log, expires) : []),
      ...((log &&
        loss?.violations(
          log,
          entries.flatMap(({ delivered, acked }) => [...delivered, ...acked]),
        )) ??
        []),
      ...cluster.brokers.flatMap((node) =>
        node.broker === undefined ? [] : queueViolations(node.name, node.broker, expires),
      ),
    ],
    excused: again.filter((words) => words === undefined).length,
  }
}

/** Whether a message has expired: no log holds it any more. */
export function goneFrom(cluster: Cluster): (entry: Entry) => boolean {
  const kept = Buffer.concat(
    cluster.brokers.flatMap(({ broker }) => (broker ? new WrittenLog(broker).bytes : [])),
  )
  return ({ id }) => !kept.includes(`\u0001${id}\u0002`)
}

/** `jumpedMs`: so far apart two wall clocks may have been. */
function fateViolations(
  { id, fate, due, delivered, acked, mayBeAcked }: Entry,
  isGone: boolean,
  jumpedMs: number,
): string[] {
  const wrong: string[] = []
  if (fate === 'ok' && delivered.length === 0 && !isGone)
    wrong.push(`lost: ${id} was promised and never received`)
  if (fate === 'ok' && delivered.length > 0 && acked.length === 0 && !mayBeAcked && !isGone)
    wrong.push(`stuck: ${id} was never acknowledged`)
  if (fate === 'refused' && delivered.length > 0) wrong.push(`phantom: ${id} was refused and yet received`)
  const first = delivered[0]
  if (due !== undefined && first !== undefined && first.wall < due - jumpedMs) {
    wrong.push(`early: ${id} was received ${due - first.wall} ms before it was due`)
  }
  return wrong
}

/** One item per delivery after an acknowledgement: a sentence, or undefined where it is excused. */
function comesAgain(entry: Entry, { knowledge, misfortunes, loss }: Witnesses): (string | undefined)[] {
  return entry.delivered.flatMap((delivery) => {
    // What acknowledged a record that is lost was lost with it (rule 5.2).
    const before = entry.acked.filter((ack) => ack.at < delivery.at && loss?.hasLost(ack, entry.id) !== true)
    if (before.length === 0) return []
    const culprit = before.find(
      (ack) =>
        !isOfUnseenPut(ack, delivery) &&
        knowledge.mustKnow(ack, delivery.by, delivery.at, misfortunes.powerCuts),
    )
    return [
      culprit &&
        `again: ${entry.id} was acknowledged at ${told(culprit)} and delivered again at ${told(delivery)}`,
    ]
  })
}

/** Whoever hands out a scheduled record and has not seen its put cannot know what an acknowledgement of that has to do with it (rule 5.6). */
function isOfUnseenPut(ack: Contact, { place, visible }: Contact): boolean {
  return isTimer(place) && !isTimer(ack.place) && visible <= ack.position
}

function isTimer(place: string): boolean {
  return place.startsWith(TIMER_TOPIC)
}

function told({ by, at, epoch, attempt, place, position }: Contact): string {
  return `${by} (${place} at ${position}, ${at} ms, epoch …${epoch % 1_000_000}, attempt ${attempt})`
}

function logViolations({ slaves }: Cluster, own: WrittenLog | undefined): string[] {
  if (own === undefined) return ['the master is not up at the end']
  return slaves.flatMap(({ name, broker }) => {
    if (broker === undefined) return [`${name} is not up at the end`]
    const copy = new WrittenLog(broker)
    // What both keep: each lets old files expire by itself.
    const from = Math.max(own.begin, copy.begin)
    const to = Math.min(own.end, copy.end)
    const [ours, theirs] = [own.between(from, to), copy.between(from, to)]
    if (!theirs.equals(ours)) {
      const at = from + theirs.findIndex((byte, index) => byte !== ours[index])
      return [`${name}: its log differs from the master's at ${at}`]
    }
    return copy.end === own.end ? [] : [`${name}: its log ends at ${copy.end}, not ${own.end}`]
  })
}
