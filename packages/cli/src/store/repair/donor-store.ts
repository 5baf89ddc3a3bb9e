import { BrokerError, type Files } from '@tandemmq/base'
import { readLineage } from '@tandemmq/storage'
import { StoredLog } from '../stored-log.ts'
import { COMPARED_BYTES, demandSameLineage, type DamagedStore, type RangeSource } from './range-source.ts'

const PIECE_BYTES = 1024 * 1024

/** The store's directory of another broker of the set, or a copy of it. It is only read. */
export class DonorStore implements RangeSource {
  readonly words: string
  readonly #files: Files
  readonly #root: string

  constructor(files: Files, root: string) {
    this.words = `the store in ${root}`
    this.#files = files
    this.#root = root
  }

  fetch(
    from: number,
    to: number,
    store: DamagedStore,
    take: (offset: number, bytes: Buffer) => void,
  ): Promise<void> {
    using log = new StoredLog(this.#files, this.#root)
    const { segmentBytes, first, starts } = log
    if (segmentBytes !== store.segmentBytes) {
      throw new BrokerError(
        'STORE_FOREIGN',
        `${this.words} has log files of ${segmentBytes} bytes, ours have ${store.segmentBytes}`,
      )
    }
    const end = (starts.at(-1) ?? 0) + segmentBytes
    demandSameLineage(store, { lineage: readLineage(this.#files, this.#root), end }, to)
    const below = Math.max(first, store.first, from - COMPARED_BYTES)
    for (let at = below; at < from;) {
      const theirs = log.read(at, Math.min(PIECE_BYTES, from - at))
      if (!theirs.equals(store.read(at, theirs.length))) {
        throw new BrokerError('STORE_FOREIGN', `the logs differ below ${from}, where ours is not damaged`)
      }
      at += theirs.length
    }
    for (let at = from; at < to;) {
      if (!starts.includes(log.startOf(at))) {
        throw new BrokerError('UNAVAILABLE', `${this.words} has no file with log offset ${at}`)
      }
      const piece = log.read(at, Math.min(PIECE_BYTES, to - at))
      take(at, piece)
      at += piece.length
    }
    return Promise.resolve()
  }
}
