import type { Clock } from '@tandemmq/base'
import type { Change } from './change.ts'
import { completed } from './change-completion.ts'
import type { ChangeFeed } from './change-feed.ts'
import type { MetadataDisk } from './metadata-disk.ts'
import type { MetadataState } from './metadata-state.ts'
import { isOwnMatter } from './own-matter.ts'
import { kindOf } from './snapshot.ts'

/** The one way into the tables: a change is written down, then applied, then told to whoever asks what is new. */
export class AppliedChanges {
  readonly #state: MetadataState
  readonly #feed: ChangeFeed
  readonly #clock: Clock
  #disk: MetadataDisk | undefined

  constructor(state: MetadataState, feed: ChangeFeed, clock: Clock) {
    this.#state = state
    this.#feed = feed
    this.#clock = clock
  }

  /** From now on they are written down there; what came before was read from it. */
  writeTo(disk: MetadataDisk): void {
    this.#disk = disk
  }

  /** One of this broker's own making. Throws `ILLEGAL_ARGUMENT` for a bad name, and as {@link take}. */
  make(change: Change): void {
    const { processEpoch, counter } = this.#feed.cursor
    this.take(completed(change, this.#state, { processEpoch, counter: counter + 1 }))
  }

  /** False if it changed nothing. Throws `DISK_FULL`, or `LOG_FENCED` for good: then it has not been applied. */
  take(change: Change): boolean {
    this.#disk?.record(change)
    const changed = this.#state.apply(change, this.#clock.monotonic())
    if (!changed) return false
    if (!isOwnMatter(change)) this.#feed.add(change)
    this.#disk?.changed(kindOf(change))
    // A deletion voids progress as well, a cut may reach the timer queue.
    if (change.kind === 'topic-delete' || change.kind === 'group-delete') this.#disk?.changed('progress')
    if (change.kind === 'cut') this.#disk?.changed('delay')
    return true
  }
}
