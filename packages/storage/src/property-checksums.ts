import { checkPropertyCrc } from '@tandemmq/codec'

/**
 * Looks at the checksums over whole records that some have as their last property (`enabledAppendPropCRC`), in the order of the log.
 *
 * A broker that does not write them stores what a client sends, which may look like one and be wrong. Nobody can send a right one: it covers offsets
 * and times that the broker gives. So a wrong one counts where this broker writes them, or the record before had a right one.
 */
export class PropertyChecksums {
  readonly #areOurs: boolean
  #believed: boolean

  /** `areOurs`: this broker writes them. */
  constructor(areOurs: boolean) {
    this.#areOurs = areOurs
    this.#believed = areOurs
  }

  /** Of the record `[at, at + size)`. `right`: not one bit of it has changed. */
  check(source: Buffer, at: number, size: number): 'right' | 'wrong' | 'none' {
    const found = checkPropertyCrc(source, at, size)
    if (found === 'wrong') return this.#believed ? 'wrong' : 'none'
    this.#believed = this.#areOurs || found === 'right'
    return found === 'right' ? 'right' : 'none'
  }
}
