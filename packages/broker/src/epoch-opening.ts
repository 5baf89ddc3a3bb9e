import { mayPass, messageOf, type Timer } from '@tandemmq/base'
import { lastEpoch, type Hello } from '@tandemmq/codec'
import { isUnfinished, type Tail, type UnfinishedRecord } from '@tandemmq/ha-protocol'
import type { MessageStore } from '@tandemmq/storage'
import type { BrokerOptions, BrokerPorts, MasterOptions } from './broker-options.ts'
import { DoubtfulEnd } from './doubtful-end.ts'
import { leastInSync, waitsForReplicas } from './durability-mode.ts'
import { HeardReplicas } from './heard-replicas.ts'
import type { ReplicatedStore } from './replicated-store.ts'
import { judgeTail, missingAt, type TailVerdict } from './tail-evidence.ts'
import type { Writability } from './writability.ts'

/** When the disk had no room to open an epoch, ms. */
const RETRY_MS = 1_000
/** How long a master in asynchronous mode waits for a replica that may know more, ms (rule 3.2). */
const CONTACT_MS = 5_000

export interface EpochOpeningParts extends Pick<BrokerPorts, 'clock' | 'logger' | 'registry'> {
  readonly store: MessageStore
  readonly log: ReplicatedStore
  readonly writability: Writability
}

/**
 * Opens a master's epoch of the log, once three things are known: that this log may go on (its ancestry is there, or may be created: rule 1.6), that
 * no tail of it is missing (rule 3.1), and that the registry knows of no newer epoch (rule 3.5). Says in {@link Writability} what is not known yet.
 */
export class EpochOpening {
  readonly #options: Pick<BrokerOptions, 'appointment' | 'mode' | 'totalReplicas'>
  readonly #master: MasterOptions
  readonly #parts: EpochOpeningParts
  readonly #doubtfulEnd: DoubtfulEnd
  /** Whether the log may lack its tail (rule 3.2). */
  #verdict: TailVerdict = { kind: 'complete' }
  /** Epochs that were opened and given up again for an older tail, and an appointment's: the next one goes above. */
  #atLeast: number
  readonly #heard: HeardReplicas
  readonly #listeners: (() => void)[] = []
  #opening: Promise<void> | undefined
  #isEpochOpen = false
  /** What was cut off when an epoch was opened: a slave that holds it still has nothing that is missed. */
  #unfinished: UnfinishedRecord | undefined
  #patience: Timer | undefined
  #retry: Timer | undefined
  /** The newest epoch of this log, as the registry said last; `undefined`: it has not answered since the start. */
  #highestHeard: number | undefined
  #isStopped = false

  constructor(
    options: Pick<BrokerOptions, 'appointment' | 'mode' | 'totalReplicas'>,
    master: MasterOptions,
    parts: EpochOpeningParts,
  ) {
    this.#options = options
    this.#master = master
    this.#parts = parts
    this.#heard = new HeardReplicas(() => parts.store.roster)
    this.#doubtfulEnd = new DoubtfulEnd(parts.store, parts.log, parts.logger)
    this.#atLeast = options.appointment?.epoch ?? 1
    if (parts.registry !== undefined) {
      parts.writability.refuse(
        'registry',
        'the registry has not answered yet: it may know of a newer epoch of this log',
      )
    }
  }

  /** Resolves when the epoch is open, or at once where something has to be waited for. */
  async begin(): Promise<void> {
    this.#decide()
    await this.#opening
  }

  /** Calls `listener` once, when an epoch has been opened; at once if it has been. */
  onOpened(listener: () => void): void {
    if (this.#isEpochOpen) listener()
    else this.#listeners.push(listener)
  }

  /** The registry has said which epoch of this log is the newest (rule 3.5). */
  heardOfEpoch(highest: number): void {
    this.#highestHeard = highest
    const isFetching = this.#verdict.kind === 'missing' // Judged when it has come.
    if (!this.#isEpochOpen && !isFetching) this.#decide()
    const own = lastEpoch(this.#parts.store.lineage)
    if (highest <= own || !this.#isEpochOpen) return this.#parts.writability.lift('registry')
    this.#parts.writability.refuse(
      'registry',
      `epoch ${highest} of this log has been opened elsewhere, this master is at ${own}: fenced`,
    )
  }

  /** A slave has proven who it is (rules 1.4, 1.6, 3.2). */
  introduced(hello: Hello): void {
    this.#heard.add(hello)
    if (!this.#isEpochOpen) this.#decide()
    else if (this.#isAhead(hello) && this.#hasUntouchedEpoch()) this.#missTail(hello)
  }

  /** Whether the epoch is still to be opened, and this replica has shown since the start that it holds some of this log. */
  isAsking(identity: string): boolean {
    return !this.#isEpochOpen && this.#holders.some((hello) => hello.identity === identity)
  }

  /** The roster has become shorter: fewer may be waited for (rule 3.3). */
  rosterChanged(): void {
    if (!this.#isEpochOpen) this.#decide()
  }

  /** What the HA port is to do about a tail that may be missing. Before any is fetched, what is in doubt of our own end goes. */
  tail(): Tail {
    const { kind } = this.#verdict
    if (kind === 'complete' && !this.#isEpochOpen) return { kind: 'unknown' }
    if (kind === 'complete') return { kind, ...(this.#unfinished && { unfinished: this.#unfinished }) }
    if (kind === 'unknown') return { kind }
    if (this.#doubtfulEnd.isGone) return { kind, holder: this.#verdict.holder }
    void this.#doubtfulEnd.cut()
    return { kind: 'unknown' }
  }

  /** What the log lacked has come, and is on disk. */
  borrowed(from: string): void {
    if (this.#verdict.kind !== 'missing') return
    this.#parts.logger.info({ from, end: this.#parts.store.end }, 'the log has what it lacked')
    this.#patience?.cancel()
    this.#verdict = { kind: 'complete' }
    this.#opening = this.#mayOpen ? this.#openEpochOrSayWhy() : undefined
  }

  /** From here on no epoch is opened. */
  stop(): void {
    this.#isStopped = true
    this.#patience?.cancel()
    this.#retry?.cancel()
  }

  #decide(): void {
    if (this.#opening !== undefined || this.#isStopped) return
    const master = this.#master
    const { roster, lineage, end, recovery } = this.#parts.store
    const { mode, totalReplicas } = this.#options
    this.#verdict = judgeTail({
      roster,
      lineage,
      end,
      inSyncReplicas: leastInSync(mode),
      totalReplicas,
      lossReason: recovery.lossPossible && !this.#isVouchedFor ? recovery.reason : undefined,
      heard: this.#heard.all,
      createLog: master.createLog,
      acceptLoss: master.acceptLoss,
    })
    this.#refuseTail()
    if (this.#verdict.kind === 'complete') {
      if (this.#mayOpen) this.#opening = this.#openEpochOrSayWhy()
    } else if (lineage !== undefined && !waitsForReplicas(mode)) this.#goOnAlone()
  }

  /**
   * Whoever appointed this broker knew that what it then held was all that the log is to have (rule 3.5): while it certainly holds that much, older
   * doubts are settled. Once the appointment's epoch is open, new ones are judged as ever.
   */
  get #isVouchedFor(): boolean {
    const { recovery, lineage } = this.#parts.store
    const { epoch = 0, end = 0 } = this.#options.appointment ?? {}
    // What is cut off after a clean stop was an unfinished record.
    const held = recovery.cleanStop ? recovery.end + recovery.truncatedBytes : recovery.trustedEnd
    return epoch > lastEpoch(lineage) && end > 0 && held >= end
  }

  /** Whoever may have been made master meanwhile, the registry knows it: without its word no epoch is opened (rule 3.5). */
  get #mayOpen(): boolean {
    return !this.#isStopped && (this.#parts.registry === undefined || this.#highestHeard !== undefined)
  }

  async #openEpochOrSayWhy(): Promise<void> {
    try {
      await this.#openEpoch()
    } catch (cause) {
      this.#parts.writability.refuse('log', `no epoch could be opened: ${messageOf(cause)}`)
      this.#parts.logger.error({ why: messageOf(cause) }, 'no epoch could be opened')
      if (mayPass(cause)) this.#tryAgain()
    }
  }

  /** A full disk may have room again. */
  #tryAgain(): void {
    this.#retry = this.#parts.clock.after(RETRY_MS, () => {
      this.#opening = this.#openEpochOrSayWhy()
    })
  }

  /** Who holds some of this log, of those heard since the start. */
  get #holders(): readonly Hello[] {
    return this.#heard.holdersOf(this.#parts.store.lineage?.logId)
  }

  /** Asynchronous mode promises nothing about the loss of a machine: after a while without contact it goes on. */
  #goOnAlone(): void {
    if (this.#holders.length > 0 || this.#patience !== undefined) return
    this.#patience = this.#parts.clock.after(CONTACT_MS, () => {
      if (this.#holders.length > 0 || this.#opening !== undefined || this.#isStopped) return
      if (!this.#mayOpen) {
        this.#patience = undefined
        return this.#goOnAlone()
      }
      const verdict = this.#verdict
      const why = verdict.kind === 'complete' ? '' : verdict.words
      this.#parts.logger.warn(
        { end: this.#parts.store.end, why },
        'no replica in contact: going on with the log as it is',
      )
      this.#opening = this.#openEpochOrSayWhy()
    })
  }

  async #openEpoch(): Promise<void> {
    if (this.#parts.store.lineage === undefined) await this.#parts.store.createLineage()
    const { end, lineage } = this.#parts.store
    const epoch = await this.#parts.store.openEpoch(this.#atLeast)
    if (epoch.start < end) this.#unfinished = { epoch: lastEpoch(lineage), to: end }
    this.#verdict = { kind: 'complete' }
    this.#atLeast = epoch.epoch + 1
    this.#isEpochOpen = true
    this.#parts.logger.info({ epoch: epoch.epoch, offset: epoch.start }, 'epoch opened')
    if (this.#highestHeard !== undefined) this.heardOfEpoch(this.#highestHeard)
    this.#parts.writability.lift('log')
    for (const listener of this.#listeners.splice(0)) listener()
  }

  #isAhead(hello: Hello): boolean {
    const { lineage, end } = this.#parts.store
    return (
      hello.lineage?.logId === lineage?.logId && hello.end > end && !isUnfinished(hello, this.#unfinished)
    )
  }

  #hasUntouchedEpoch(): boolean {
    const epoch = this.#parts.store.lineage?.epochs.at(-1)
    return epoch !== undefined && epoch.start === this.#parts.store.end
  }

  /** Rule 1.4: a longer log of ours, before the first append of this epoch: it goes on with those bytes instead. */
  #missTail(hello: Hello): void {
    if (this.#master.acceptLoss) return
    this.#isEpochOpen = false
    this.#verdict = missingAt(hello, this.#parts.store.end)
    this.#refuseTail()
  }

  #refuseTail(): void {
    const verdict = this.#verdict
    if (verdict.kind !== 'complete') return this.#parts.writability.refuse('log', verdict.words)
    if (this.#isEpochOpen) return this.#parts.writability.lift('log')
    this.#parts.writability.refuse('log', 'no epoch of the log is open yet')
  }
}
