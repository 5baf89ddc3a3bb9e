import { BrokerError, messageOf, type Timer } from '@tandemmq/base'
import { isRegistryName, type ServingView, type SetServing } from '@tandemmq/registry'
import { SetCopy, type SetCopyPorts } from './set-copy.ts'

const RETRY_MS = 5_000

/** The copies of all sets: those on disk from an earlier run at once, others when their brokers register. */
export class SetCopies implements AsyncDisposable {
  readonly #root: string
  readonly #ports: SetCopyPorts
  readonly #view: ServingView
  readonly #copies = new Map<string, SetCopy>()
  readonly #opening = new Map<string, Promise<void>>()
  readonly #retries = new Map<string, Timer>()
  readonly #stop: () => void

  private constructor(root: string, view: ServingView, ports: SetCopyPorts) {
    this.#root = root
    this.#view = view
    this.#ports = ports
    this.#stop = view.onChange((serving) => this.#changed(serving))
  }

  static async open(root: string, view: ServingView, ports: SetCopyPorts): Promise<SetCopies> {
    const copies = new SetCopies(root, view, ports)
    for (const set of ports.files.list(`${root}/sets`)) {
      if (isRegistryName(set)) await copies.#begin(set)
      else
        ports.logger.warn(
          { name: JSON.stringify(set.slice(0, 64)) },
          'there is something among the copies of sets that is none',
        )
    }
    return copies
  }

  [Symbol.iterator](): IterableIterator<SetCopy> {
    return this.#copies.values()
  }

  of(set: string): SetCopy | undefined {
    return this.#copies.get(set)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop()
    for (const retry of this.#retries.values()) retry.cancel()
    await Promise.allSettled(this.#opening.values())
    for (const copy of this.#copies.values()) await copy[Symbol.asyncDispose]()
  }

  #changed(serving: SetServing): void {
    const copy = this.#copies.get(serving.set)
    if (copy !== undefined) return copy.follow(serving)
    if (this.#opening.has(serving.set) || this.#retries.has(serving.set)) return
    void this.#begin(serving.set)
  }

  /** Known as being opened from the first moment: a second copy on the same files would be the end of both. */
  #begin(set: string): Promise<void> {
    const opening = this.#openOrTryAgain(set)
    this.#opening.set(set, opening)
    return opening
  }

  /** Without its copy a set has no routes here; a full disk may have room again. */
  async #openOrTryAgain(set: string): Promise<void> {
    try {
      await this.#open(set)
    } catch (cause) {
      this.#ports.logger.error(
        { set, why: messageOf(cause) },
        'the copy of a set cannot be opened, trying again',
      )
      const retry = this.#ports.clock.after(RETRY_MS, () => {
        this.#retries.delete(set)
        void this.#begin(set)
      })
      this.#retries.set(set, retry)
    } finally {
      this.#opening.delete(set)
    }
  }

  async #open(set: string): Promise<void> {
    const copy = await this.#copy(set)
    this.#copies.set(set, copy)
    const serving = this.#view.set(set)
    if (serving !== undefined) copy.follow(serving)
  }

  /** A copy that cannot be read is put aside: it holds nothing that the brokers do not know (rule 4.8). */
  async #copy(set: string): Promise<SetCopy> {
    const { files, clock, logger } = this.#ports
    try {
      return await SetCopy.open(set, this.#root, this.#ports)
    } catch (cause) {
      if (!(cause instanceof BrokerError && cause.code === 'STATE_FILE_CORRUPT')) throw cause
      const aside = `${this.#root}/damaged/${set}-${clock.now()}`
      files.makeDirectory(`${this.#root}/damaged`)
      files.rename(`${this.#root}/sets/${set}`, aside)
      logger.warn(
        { set, why: cause.message, aside },
        'the copy of the metadata of a set is damaged and was put aside; it comes again from its brokers',
      )
      return SetCopy.open(set, this.#root, this.#ports)
    }
  }
}
