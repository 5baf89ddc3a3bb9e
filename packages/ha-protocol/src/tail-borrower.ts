import { invariant, messageOf } from '@tandemmq/base'
import type { Lineage } from '@tandemmq/codec'
import type { MasterEvent } from './master-state.ts'
import type { ReplicatedLog } from './replicated-log.ts'

/** What a master's session asks of its own log while a slave lends it a tail (rule 3.2). */
export class TailBorrower {
  readonly #log: ReplicatedLog
  readonly #tell: (event: MasterEvent) => void
  /** The bytes that the next {@link append} is about. */
  #piece: Buffer | undefined

  constructor(log: ReplicatedLog, tell: (event: MasterEvent) => void) {
    this.#log = log
    this.#tell = tell
  }

  /** `bytes` is only lent. */
  take(offset: number, bytes: Buffer): void {
    this.#piece = bytes
    this.#tell({ kind: 'piece', offset, size: bytes.length })
    this.#piece = undefined
  }

  append(offset: number): void {
    const bytes = this.#piece
    invariant(bytes !== undefined, 'an append is about the piece in hand')
    try {
      this.#log.append(offset, bytes)
    } catch (error) {
      this.#failed(error)
    }
  }

  /** @param prepared what must be on disk before */
  async adopt(lineage: Lineage, prepared: Promise<void>): Promise<void> {
    await this.#settled(
      prepared.then(() => this.#log.adoptLineage(lineage)),
      { kind: 'adopted' },
    )
  }

  async keep(): Promise<void> {
    await this.#settled(this.#log.flush(), { kind: 'kept' })
  }

  async #settled(task: Promise<void>, event: MasterEvent): Promise<void> {
    try {
      await task
      this.#tell(event)
    } catch (error) {
      this.#failed(error)
    }
  }

  #failed(error: unknown): void {
    this.#tell({ kind: 'given-up', refusal: { reason: 'disk', words: messageOf(error) } })
  }
}
