import { BrokerError, type Files, type LogOffset } from '@tandemmq/base'
import { spaceOf } from './disk-space.ts'

/** A tenth of a small disk, and no more than two journals of progress at their limit (64 MiB, and its copy while it is compacted) with room to spare. */
const SHARE = 0.1
const BYTES_MAX = 256 * 1024 * 1024
/** The disk is asked once for so many bytes of log, or for as many as there are. */
const CLAIM_BYTES = 256 * 1024

/**
 * What the commit log leaves free on its disk. Consumers need little room, for their progress, but they need it: a disk that is full of messages
 * to the last byte would refuse acknowledgements too, and nobody could read what it holds. Where the system does not say what room there is, the
 * next write finds out.
 */
export class DiskReserve {
  readonly #files: Files
  readonly #directory: string
  /** Share of the disk kept in any case. */
  readonly #keptRatio: number
  /** Up to here the disk has been asked. */
  #claimedTo: LogOffset = 0
  /** Bytes that were refused last, until some are granted. */
  #wanted = 1

  /** `keptRatio`: share of the disk, 0 … 1, that is kept if it is more than the reserve is anyway. */
  constructor(files: Files, directory: string, keptRatio = 0) {
    this.#files = files
    this.#directory = directory
    this.#keptRatio = keptRatio
  }

  /** Whether the log may grow now, by as much as was refused last. */
  get hasRoom(): boolean {
    const space = spaceOf(this.#files, this.#directory)
    return space === undefined || space.free - this.#reserveOf(space.total) >= this.#wanted
  }

  /** Before `bytes` are appended at `offset`. Throws `DISK_FULL`; the next call asks again. */
  claim(offset: LogOffset, bytes: number): void {
    if (offset + bytes <= this.#claimedTo) return
    const space = spaceOf(this.#files, this.#directory)
    if (space === undefined) return
    const { free, total } = space
    const room = free - this.#reserveOf(total)
    if (room < bytes) {
      this.#wanted = bytes
      throw new BrokerError(
        'DISK_FULL',
        'the disk has no room for messages: what is left is kept for the progress of consumers',
        { facts: { free, kept: this.#reserveOf(total), total } },
      )
    }
    this.#wanted = 1
    this.#claimedTo = offset + Math.min(room, Math.max(bytes, CLAIM_BYTES))
  }

  #reserveOf(total: number): number {
    return Math.max(Math.min(Math.floor(total * SHARE), BYTES_MAX), Math.floor(total * this.#keptRatio))
  }
}
