import type { LogOffset, Logger, Meter } from '@tandemmq/base'

/** How much of its log a master keeps for replicas beyond its own retention. */
export interface HoldLimits {
  /** `haRetentionHoldBytes`: a replica that lacks more is not waited for. */
  readonly bytesMax: number
  /** `haRetentionHoldTime`: nor one that has got nothing new for so long, ms. */
  readonly timeMaxMs: number
}

/** What the hold must know of a replica that is connected. */
export interface HeldReplica {
  readonly peer: { readonly identity: string }
  /** It holds everything below; the rest may be on its way to it. */
  readonly received: LogOffset
}

export interface HoldSources {
  /** Replicas that are connected now. */
  connected(): readonly HeldReplica[]
  /** Every identity that was ever counted (rule 3.3), here or not. */
  roster(): readonly string[]
  readonly log: { readonly minOffset: LogOffset; readonly end: LogOffset }
  monotonic(): number
}

export interface HeldFor {
  /** The log is kept from here on. */
  readonly from: LogOffset
  readonly identity: string
}

interface Place {
  position: LogOffset
  /** When it got something new last, or had all; monotonic ms. */
  movedAt: number
  isConnected: boolean
  /** It was said that it is no longer waited for. */
  isGivenUp: boolean
}

/**
 * Keeps what a known slave still needs (rule 2.10): the positions of those that are connected, and the last ones of those in the roster that are away.
 * One that is not heard of since this master's start may need anything. Who is over a limit is named, and starts over when it comes.
 */
export class RetentionHold {
  readonly #limits: HoldLimits
  readonly #sources: HoldSources
  readonly #logger: Logger
  readonly #places = new Map<string, Place>()

  constructor(limits: HoldLimits, sources: HoldSources, logger: Logger, meter: Meter) {
    this.#limits = limits
    this.#sources = sources
    this.#logger = logger
    meter.observe(
      'rocketmq_ha_retention_held_bytes',
      'Bytes of the log that a replica still needs and that are kept for it; 0 for one that is over a limit',
      ['identity'],
      () => {
        this.#look()
        return [...this.#places].map(([identity, place]) => ({
          labels: { identity },
          value: place.isGivenUp ? 0 : Math.max(0, sources.log.end - place.position),
        }))
      },
    )
    this.#look()
  }

  /** For whom the log is kept longest; `undefined`: for nobody. `onlyConnected`: those that are away are not waited for. */
  heldFor(onlyConnected: boolean): HeldFor | undefined {
    this.#look()
    let held: HeldFor | undefined
    for (const [identity, { position, isConnected, isGivenUp }] of this.#places) {
      if (isGivenUp || (onlyConnected && !isConnected)) continue
      if (held === undefined || position < held.from) held = { from: position, identity }
    }
    return held
  }

  /** Brings what is known of everybody up to date. */
  #look(): void {
    const { log } = this.#sources
    const now = this.#sources.monotonic()
    const connected = new Map(
      this.#sources.connected().map(({ peer, received }) => [peer.identity, received]),
    )
    for (const identity of new Set([
      ...this.#places.keys(),
      ...this.#sources.roster(),
      ...connected.keys(),
    ])) {
      const received = connected.get(identity)
      const known = this.#places.get(identity)
      if (received === undefined && !this.#sources.roster().includes(identity)) {
        this.#places.delete(identity)
        continue
      }
      const place = known ?? { position: log.minOffset, movedAt: now, isConnected: false, isGivenUp: false }
      const isMoving = received !== undefined && (received !== place.position || received >= log.end)
      if (isMoving) place.movedAt = now
      place.position = received ?? place.position
      place.isConnected = received !== undefined
      this.#places.set(identity, place)
      this.#judge(identity, place, log.end, now)
    }
  }

  #judge(identity: string, place: Place, end: LogOffset, now: number): void {
    const lacks = end - place.position
    const silentMs = now - place.movedAt
    const isOver = lacks > this.#limits.bytesMax || (lacks > 0 && silentMs > this.#limits.timeMaxMs)
    if (isOver && !place.isGivenUp) {
      const { position: offset } = place
      this.#logger.warn(
        { identity, offset, lacks, silentMs },
        'the log is no longer kept for this slave: it lacks too much, or has got nothing for too long; it may have to start over',
      )
    }
    place.isGivenUp = isOver
  }
}
