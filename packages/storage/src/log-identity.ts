import { BrokerError, type Files, type LogOffset, type Random } from '@tandemmq/base'
import { lastEpoch, type Epoch, type Lineage } from '@tandemmq/codec'
import { LineageFile, lineageCutAt, lineageWith } from './lineage-file.ts'
import type { PositionFile } from './position-file.ts'

/** Of more names that were forgotten only the last are kept. */
const FORGOTTEN_MAX = 256

/** Who a log is and who has to do with it: its id, its epochs, the replicas that were ever counted. All durable. */
export class LogIdentity {
  readonly #position: PositionFile
  readonly #lineage: LineageFile
  readonly #random: Random
  readonly #rosterOnDisk: Set<string>

  /** Throws `STATE_FILE_CORRUPT`, also if one of the files is gone, or `STORE_FOREIGN` if they speak of different logs. */
  constructor(files: Files, root: string, position: PositionFile, random: Random) {
    this.#position = position
    this.#lineage = new LineageFile(files, root)
    this.#random = random
    this.#rosterOnDisk = new Set(position.value.roster)
    const { logId } = position.value
    if (logId !== undefined && this.lineage === undefined) {
      throw new BrokerError(
        'STATE_FILE_CORRUPT',
        `${root}/epochOpeners is missing: bring it back, or begin with an empty directory and copy the log from a replica`,
        { facts: { root, logId } },
      )
    }
    if (logId === undefined || this.lineage === undefined || this.lineage.logId === logId) return
    throw new BrokerError('STORE_FOREIGN', 'position file and epoch file belong to different logs', {
      facts: { position: logId, epochs: this.lineage.logId },
    })
  }

  /**
   * There was no position file. With a lineage of ours there must have been one: it holds the replicas that may know more than this log (rule 3.3).
   * Throws `STATE_FILE_CORRUPT`.
   */
  demandPositionFile(root: string): void {
    if (this.lineage === undefined) return
    throw new BrokerError(
      'STATE_FILE_CORRUPT',
      `${root}/position is missing: nobody knows which replicas may hold more of this log; bring it back, or go on without with acceptLoss=true`,
      { facts: { root } },
    )
  }

  get lineage(): Lineage | undefined {
    return this.#lineage.value
  }

  get roster(): readonly string[] {
    return this.#position.value.roster
  }

  /** Who was forgotten by the word of the operator, and was not counted since. */
  get forgotten(): readonly string[] {
    return this.#position.value.forgotten
  }

  /** A new id for the log. Bytes it has already, [`begin`, `end`), become the first epoch. */
  async create(begin: LogOffset, end: LogOffset): Promise<void> {
    if (this.lineage !== undefined) {
      throw new BrokerError('ILLEGAL_ARGUMENT', 'the log has a lineage already')
    }
    const logId = this.#random.bytes(16).toString('hex')
    await this.#save({
      logId,
      epochs: begin === end ? [] : [{ epoch: 1, start: begin, opener: this.#opener() }],
    })
  }

  /** The file of the ancestry was damaged and its copy is used: the last epoch may be missing. */
  get isLineageStale(): boolean {
    return this.#lineage.isStale
  }

  /** An epoch from `start`, the log's end, on: above all earlier ones, a forgotten one included, and at least `atLeast`. */
  async open(begin: LogOffset, start: LogOffset, atLeast: number): Promise<Epoch> {
    const { lineage } = this
    if (lineage === undefined) throw new BrokerError('NOT_WRITABLE', 'the log has no lineage yet')
    const epoch = {
      epoch: Math.max(lastEpoch(lineage) + (this.isLineageStale ? 2 : 1), atLeast),
      start,
      opener: this.#opener(),
    }
    await this.#save(lineageWith(lineage, epoch))
    // Before the first byte: of a log whose beginning is not known, a lost first file could not be missed.
    await this.#position.save({ lossPossible: false, begin })
    return epoch
  }

  async adopt(lineage: Lineage): Promise<void> {
    if (JSON.stringify(lineage) !== JSON.stringify(this.lineage)) await this.#save(lineage)
  }

  /** The log ends at `end` now. */
  async cutAt(end: LogOffset): Promise<void> {
    if (this.lineage !== undefined) await this.#lineage.save(lineageCutAt(this.lineage, end))
  }

  /** The epoch that the byte at `offset` was written in; 0 below the first one. */
  epochAt(offset: LogOffset): number {
    return this.lineage?.epochs.findLast((epoch) => epoch.start <= offset)?.epoch ?? 0
  }

  async addReplica(identity: string): Promise<void> {
    if (this.#rosterOnDisk.has(identity)) return
    // In memory it may stand since an attempt that failed.
    await this.#position.save({
      roster: [...new Set([...this.roster, identity])],
      forgotten: this.forgotten.filter((gone) => gone !== identity),
    })
    this.#rosterOnDisk.add(identity)
  }

  suspectLoss(): Promise<void> {
    return this.#position.save({ lossPossible: true })
  }

  async forgetReplica(identity: string): Promise<void> {
    if (this.forgotten.includes(identity)) return
    this.#rosterOnDisk.delete(identity)
    await this.#position.save({
      roster: this.roster.filter((known) => known !== identity),
      forgotten: [...this.forgotten, identity].slice(-FORGOTTEN_MAX),
    })
  }

  #opener(): string {
    return this.#random.bytes(8).toString('hex')
  }

  async #save(lineage: Lineage): Promise<void> {
    await this.#lineage.save(lineage)
    if (this.#position.value.logId !== lineage.logId) await this.#position.save({ logId: lineage.logId })
  }
}
