import { BrokerError, type Files } from '@tandemmq/base'
import { bodyCrcMatches, checkPropertyCrc, scanFrame } from '@tandemmq/codec'
import { StoredFile, nameOf } from '../stored-file.ts'
import { COMPARED_BYTES, type DamagedStore, type RangeSource } from './range-source.ts'
import type { SavedFiles } from './saved-files.ts'

const PIECE_BYTES = 1024 * 1024

/**
 * Puts the bytes [`from`, `to`) in place that `source` has. They are kept in a file of their own until they are complete and checked: ancestry, our
 * own bytes on either side, frames that fill the range, each at its offset and with its checksums.
 * Throws what the source throws, and `LOG_CORRUPT` for bytes that are no better than ours.
 */
export async function fetchRange(
  files: Files,
  store: DamagedStore,
  range: { readonly from: number; readonly to: number },
  source: RangeSource,
  saved: SavedFiles,
): Promise<void> {
  const { from, to } = range
  const fetchedName = `${saved.directory}/fetched-${from}-${to}`
  const path = `${store.root}/${fetchedName}`
  files.makeDirectory(`${store.root}/${saved.directory}`)
  files.remove(path)
  const target = files.open(path, 'create')
  try {
    const behind = Math.min(to + COMPARED_BYTES, Math.max(to, store.end))
    await source.fetch(from, behind, store, (at, bytes) => {
      const inside = bytes.subarray(0, Math.max(0, to - at))
      if (inside.length > 0) target.write(inside, at - from)
      demandEqual(store, Math.max(at, to), bytes.subarray(inside.length))
    })
  } finally {
    target.close()
  }
  checkFrames(files, path, range, store.segmentBytes)
  await putInPlace(files, path, range, store, saved)
  files.remove(path)
}

function demandEqual(store: DamagedStore, at: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length;) {
    const ours = store.read(at + done, bytes.length - done)
    if (!ours.equals(bytes.subarray(done, done + ours.length))) {
      throw new BrokerError(
        'STORE_FOREIGN',
        `the logs differ behind the damage, between ${at + done} and ${at + bytes.length}`,
      )
    }
    done += ours.length
  }
}

/** What was fetched must be frames from the first byte to the last. */
function checkFrames(
  files: Files,
  path: string,
  { from, to }: { readonly from: number; readonly to: number },
  segmentBytes: number,
): void {
  using file = new StoredFile(files, path)
  const limits = { recordBytesMax: segmentBytes, segmentBytes }
  for (let at = from; at < to;) {
    const segmentEnd = at - (at % segmentBytes) + segmentBytes
    let bytes = file.read(at - from, Math.min(PIECE_BYTES, to - at, segmentEnd - at))
    let scan = scanFrame(bytes, 0, limits, at)
    if (scan.kind === 'incomplete' && at + scan.needed <= to) {
      bytes = file.read(at - from, scan.needed)
      scan = scanFrame(bytes, 0, limits, at)
    }
    const isRecord =
      scan.kind === 'message' && bodyCrcMatches(bytes, 0) && checkPropertyCrc(bytes, 0, scan.size) !== 'wrong'
    const isBlank = scan.kind === 'blank' && at + scan.size === segmentEnd
    if ((!isRecord && !isBlank) || !('size' in scan) || at + scan.size > to) {
      throw new BrokerError('LOG_CORRUPT', `what was fetched is no record at ${at} either`, {
        facts: { offset: at },
      })
    }
    at += scan.size
  }
}

async function putInPlace(
  files: Files,
  path: string,
  { from, to }: { readonly from: number; readonly to: number },
  store: DamagedStore,
  saved: SavedFiles,
): Promise<void> {
  const { segmentBytes, root } = store
  using fetched = new StoredFile(files, path)
  for (let start = from - (from % segmentBytes); start < to; start += segmentBytes) {
    const [begin, end] = [Math.max(from, start), Math.min(to, start + segmentBytes)]
    const target = `${root}/commitlog/${nameOf(start)}`
    const exists = files.exists(target)
    if (exists) await saved.copyLog(begin, end, [start], segmentBytes)
    const file = files.open(target, exists ? 'read-write' : 'create')
    try {
      if (file.size() < segmentBytes) file.truncate(segmentBytes)
      for (let at = begin; at < end; at += PIECE_BYTES) {
        file.write(fetched.read(at - from, Math.min(PIECE_BYTES, end - at)), at - start)
      }
      await file.dataSync()
    } finally {
      file.close()
    }
  }
  await files.syncDirectory(`${root}/commitlog`)
}
