import { messageOf } from '@tandemmq/base'
import type { LogOffset } from '@tandemmq/base'
import type { Control } from '@tandemmq/codec'
import type { MasterSurroundings } from './master-surroundings.ts'
import { RangeVerifier } from './range-verifier.ts'
import { Replica } from './replica.ts'
import type { ReplicaHolder, ReplicaName } from './replica.ts'
import type { SlaveRecord } from './slave-records.ts'

/** A roster that could not be written is tried again after this long. */
const ENROLL_AGAIN_MS = 1_000

/** The place that an accepted slave has at its master until its connection ends: what it says is noted there, its copy compared, and its reports counted. */
export class SlaveSeat {
  readonly record: SlaveRecord
  readonly #replica: Replica
  readonly #around: MasterSurroundings
  #verifier: RangeVerifier | undefined
  #isLeft = false

  /**
   * @param at where it starts, and when
   * @param countedAs the name under which its acknowledgements are measured
   */
  constructor(
    name: ReplicaName,
    holder: ReplicaHolder,
    at: ConstructorParameters<typeof Replica>[2],
    around: MasterSurroundings,
    countedAs: string = name.identity,
  ) {
    const { metrics, records, table } = around
    const record = records.of(name.identity, holder.remote)
    this.record = record
    this.#around = around
    this.#replica = new Replica(name, holder, at, (tookMs) => {
      record.ackLatency.observe(tookMs)
      metrics.ackLatency.observe(tookMs, { identity: countedAs })
    })
    record.accepted(this.#replica)
    table.seat(this.#replica)
    metrics.accepted.add()
  }

  get identity(): string {
    return this.#replica.peer.identity
  }

  /** Its copy is compared from now on; `send` asks it for checksums. */
  compareCopies(send: (control: Control) => boolean): void {
    this.#verifier = new RangeVerifier({
      ...this.#around,
      // A slave can answer wrongly as often as it is asked.
      logger: this.#around.sparingly,
      identity: this.identity,
      verification: this.record.verification,
      limits: this.#around.verifierLimits,
      mismatches: this.#around.metrics.mismatches,
      confirmed: () => Math.min(this.#around.confirmed() ?? 0, this.#replica.received),
      send,
    })
  }

  /** A range is to be compared now. */
  verify(): void {
    this.#verifier?.wake()
  }

  sentUpTo(sent: LogOffset): void {
    this.#replica.sentUpTo(sent, this.#around.clock.monotonic())
  }

  reported(received: LogOffset): void {
    this.#replica.reported(received, this.#around.clock.monotonic())
    if (this.#replica.isCounted) this.#around.table.progress()
    this.#verifier?.wake()
  }

  noted(control: Control): void {
    this.#replica.noted(control, this.#around.clock.monotonic())
    if (control.writable === false) this.#tellUnable(control)
    if (control.writable !== undefined) this.#around.table.progress()
    this.#verifier?.heard(control)
    if (control.abstains !== undefined) this.#around.abstained(this.identity, control.abstains)
  }

  #tellUnable({ problem: words, leaving }: Control): void {
    const { logger, sparingly } = this.#around
    const facts = { peer: this.#replica.holder.remote, identity: this.identity }
    if (leaving === true) logger.info(facts, 'slave says that it stops')
    else sparingly.warn({ ...facts, reason: 'disk', words: words ?? '' }, 'slave says that it cannot write')
  }

  /** Rule 3.3: an identity is in the roster, on disk, before it counts. Tried until it is, and said once. */
  async count(attempt = 1): Promise<void> {
    const { clock, logger, table } = this.#around
    try {
      await this.#around.enroll(this.identity)
    } catch (error) {
      if (this.#isLeft) return
      const facts = {
        peer: this.#replica.holder.remote,
        identity: this.identity,
        error: messageOf(error),
      }
      if (attempt === 1) logger.error(facts, 'slave not counted: the roster could not be written')
      clock.after(ENROLL_AGAIN_MS, () => void this.count(attempt + 1))
      return
    }
    if (this.#isLeft) return
    this.#replica.enrolled()
    table.progress()
  }

  /** Its connection has ended. */
  leave(): void {
    this.#isLeft = true
    this.#verifier?.stop()
  }
}
