import type { Delivery } from './delivery.ts'
import type { Sends } from './sends.ts'
import type { Repeat, ServingHistory } from './serving-history.ts'

interface Known {
  /** The newest delivery. */
  last: Delivery
  /** An acknowledgement of it has been sent. */
  isAckSent: boolean
  /** The first acknowledgement that was answered OK. */
  acked: { readonly delivery: Delivery; readonly at: number } | undefined
}

/**
 * Watches what one consumer group is given, and says what is against the promises: messages that nobody sent or that were refused, what comes again after
 * its acknowledgement was answered OK, and, for an orderly group, what comes before its predecessors.
 *
 * An acknowledged message may come again only if the one who took the acknowledgement no longer serves (another epoch), and the one who does may not
 * have heard of it when the misfortune of this round began, and does not have to know of it all the same ({@link judgeRepeats}); that is counted as
 * excused. Orderly groups: an acknowledgement of an older delivery than the newest is answered OK and ignored (rule 5.7), and the newest may never
 * have reached the consumer: its number of attempts tells.
 */
export class GroupJudge {
  readonly name: string
  readonly #isOrderly: boolean
  readonly #sends: Sends
  readonly #records = new Map<string, Known>()
  /** Per queue: all records below were seen, and their acknowledgement was sent. */
  readonly #inOrderBelow = new Map<number, number>()
  readonly #done = new Set<number>()
  readonly #mayBeDone = new Set<number>()
  readonly #received = new Set<number>()
  readonly #violations: string[] = []
  #struckAt = Number.POSITIVE_INFINITY
  #again = 0
  #excused = 0
  /** To be judged, and whether the newest delivery before may have been lost on its way. */
  readonly #repeats: { readonly repeat: Repeat; readonly isBehindUnseen: boolean }[] = []

  constructor(name: string, isOrderly: boolean, sends: Sends) {
    this.name = name
    this.#isOrderly = isOrderly
    this.#sends = sends
  }

  get violations(): readonly string[] {
    return this.#violations
  }

  /** Deliveries beyond the first of a record. */
  get again(): number {
    return this.#again
  }

  /** Those of them that came after an acknowledgement that was answered OK, and may; as far as they are judged. */
  get excused(): number {
    return this.#excused
  }

  /** A misfortune begins (wall clock, ms), or, without a time, is over. */
  misfortune(at = Number.POSITIVE_INFINITY): void {
    this.#struckAt = at
  }

  /** Judges what another one than the one who took the acknowledgement has delivered again since the last call. */
  judgeRepeats(history: ServingHistory): void {
    for (const { repeat, isBehindUnseen } of this.#repeats.splice(0)) {
      const isExcused = history.mayLack(repeat) ? !history.mustKnow(repeat) : isBehindUnseen
      if (isExcused) this.#excused += 1
      else this.#violations.push(this.#toldAgain(repeat))
    }
  }

  /** What one receive brought. */
  delivered(batch: readonly Delivery[]): void {
    const lowest = new Map<number, number>()
    for (const { queueId, queueOffset } of batch)
      lowest.set(queueId, Math.min(queueOffset, lowest.get(queueId) ?? queueOffset))
    for (const delivery of batch) {
      const known = this.#records.get(keyOf(delivery))
      this.#checkIdentity(delivery)
      if (known !== undefined) this.#checkAgain(delivery, known)
      else if (this.#isOrderly) this.#checkOrder(delivery, lowest.get(delivery.queueId) ?? 0)
      const { isAckSent = false, acked } = known ?? {}
      this.#records.set(keyOf(delivery), { last: delivery, isAckSent, acked })
      if (delivery.number !== undefined) this.#received.add(delivery.number)
    }
  }

  /** An acknowledgement leaves the consumer. */
  ackSent(delivery: Delivery): void {
    const known = this.#records.get(keyOf(delivery))
    if (known !== undefined) known.isAckSent = true
  }

  /** It was answered OK. */
  ackTaken(delivery: Delivery): void {
    const known = this.#records.get(keyOf(delivery))
    if (known !== undefined) known.acked ??= { delivery, at: Date.now() }
    if (delivery.number !== undefined) this.#done.add(delivery.number)
  }

  /** Nobody knows what became of it: it may have been taken. */
  ackUnknown({ number }: Delivery): void {
    if (number !== undefined) this.#mayBeDone.add(number)
  }

  /** Acknowledged to the producer, and not received, or its acknowledgement not taken: it has to come, for the first time or again. */
  outstanding(): readonly number[] {
    return this.#sends.all.flatMap(({ number, fate }) =>
      fate === 'acknowledged' && !this.#done.has(number) && !this.#mayBeDone.has(number) ? [number] : [],
    )
  }

  /** Acknowledged to the producer and never received. */
  missing(): readonly number[] {
    return this.outstanding().filter((number) => !this.#received.has(number))
  }

  #checkIdentity(delivery: Delivery): void {
    const sent = delivery.number === undefined ? undefined : this.#sends.find(delivery.number)
    if (sent === undefined) this.#violations.push(`${this.#told(delivery)}: nobody sent that`)
    else if (sent.fate === 'refused') this.#violations.push(`${this.#told(delivery)}: its send was refused`)
  }

  #checkAgain(delivery: Delivery, { last, acked }: Known): void {
    this.#again += 1
    if (last.number !== delivery.number)
      this.#violations.push(`${this.#told(delivery)}: it was message ${last.number} before`)
    if (acked === undefined || delivery.deliveredAt <= acked.at) return
    const { epoch } = acked.delivery
    const isBehindUnseen = this.#isOrderly && delivery.attempt > last.attempt + 1
    const repeat = { delivery, epoch, ackedAt: acked.at, struckAt: this.#struckAt }
    if (delivery.epoch > epoch) this.#repeats.push({ repeat, isBehindUnseen })
    else if (isBehindUnseen) this.#excused += 1
    else this.#violations.push(this.#toldAgain(repeat))
  }

  #toldAgain({ delivery, epoch, ackedAt }: Repeat): string {
    return `${this.#told(delivery)}: it comes again, although its acknowledgement under epoch ${epoch} was answered OK at ${ackedAt}`
  }

  /** All before it in its queue have come, and were acknowledged unless they come together with it. */
  #checkOrder(delivery: Delivery, lowestOfBatch: number): void {
    const { queueId, queueOffset } = delivery
    let below = this.#inOrderBelow.get(queueId) ?? 0
    while (below < lowestOfBatch && this.#records.get(`${queueId} ${below}`)?.isAckSent === true) below += 1
    this.#inOrderBelow.set(queueId, below)
    if (below < lowestOfBatch)
      this.#violations.push(`${this.#told(delivery)}: out of order, offset ${below} was not acknowledged yet`)
    for (let offset = lowestOfBatch; offset < queueOffset; offset += 1) {
      if (!this.#records.has(`${queueId} ${offset}`))
        this.#violations.push(`${this.#told(delivery)}: out of order, offset ${offset} has not come yet`)
    }
  }

  #told({ number, queueId, queueOffset, attempt, epoch, deliveredAt }: Delivery): string {
    return `${this.name}: message ${number} (queue ${queueId}, offset ${queueOffset}, attempt ${attempt}, epoch ${epoch}, at ${deliveredAt})`
  }
}

function keyOf({ queueId, queueOffset }: Delivery): string {
  return `${queueId} ${queueOffset}`
}
