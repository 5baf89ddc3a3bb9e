import { BrokerError, type Files, type LogOffset } from '@tandemmq/base'
import { decodeRecord, scanFrame, type LogRecord, type ScanLimits } from '@tandemmq/codec'
import { FileCache } from './file-cache.ts'
import { logFileName, positionOfLogFile } from './log-file-name.ts'
import { repairHint } from './repair-hint.ts'

/** Segment files as a start finds them, read without belief in any end. What a file lacks reads as zeros. */
export class SegmentReader {
  readonly directory: string
  /** Starts of the files, ascending and without gap. */
  readonly starts: readonly LogOffset[]
  readonly limits: ScanLimits
  readonly #cache: FileCache

  private constructor(directory: string, starts: readonly LogOffset[], limits: ScanLimits, cache: FileCache) {
    this.directory = directory
    this.starts = starts
    this.limits = limits
    this.#cache = cache
  }

  /**
   * Throws `STORE_FOREIGN` if the files have another length than configured, `LOG_CORRUPT` if one is missing in
   * between.
   */
  static open(files: Files, directory: string, limits: ScanLimits): SegmentReader {
    const cache = new FileCache(files, 'read', 16)
    try {
      return new SegmentReader(directory, startsIn(files, directory, limits, cache), limits, cache)
    } catch (failure) {
      cache.close()
      throw failure
    }
  }

  /** Start of the first file; 0 if there is none. */
  get first(): LogOffset {
    return this.starts[0] ?? 0
  }

  /** End of the last file. */
  get limit(): LogOffset {
    const last = this.starts.at(-1)
    return last === undefined ? 0 : last + this.limits.segmentBytes
  }

  segmentStart(offset: LogOffset): LogOffset {
    return offset - (offset % this.limits.segmentBytes)
  }

  /** At most `bytesMax` bytes up to the end of the segment, off the event loop. */
  readLater(offset: LogOffset, bytesMax: number): Promise<Buffer> {
    return this.readInto(Buffer.allocUnsafe(this.#readable(offset, bytesMax)), offset)
  }

  /** As {@link readLater} into memory of the caller's; returns the part of it that was filled. */
  async readInto(target: Buffer, offset: LogOffset): Promise<Buffer> {
    const start = this.segmentStart(offset)
    const bytes = target.subarray(0, this.#readable(offset, target.length))
    const count = await this.#file(start).readLater(bytes, offset - start)
    return bytes.fill(0, count)
  }

  /** As {@link readLater}, at once. */
  read(offset: LogOffset, bytesMax: number): Buffer {
    const start = this.segmentStart(offset)
    const bytes = Buffer.alloc(this.#readable(offset, bytesMax))
    this.#file(start).read(bytes, offset - start)
    return bytes
  }

  /** The whole, consistent record at `offset`, if there is one. */
  record(offset: LogOffset): LogRecord | undefined {
    if (offset < this.first || offset >= this.limit) return undefined
    let bytes = this.read(offset, 4096)
    let scan = scanFrame(bytes, 0, this.limits, offset)
    if (scan.kind === 'incomplete' && bytes.length < scan.needed) {
      bytes = this.read(offset, scan.needed)
      scan = scanFrame(bytes, 0, this.limits, offset)
    }
    return scan.kind === 'message' ? decodeRecord(bytes, 0, { checkBodyCrc: false }) : undefined
  }

  close(): void {
    this.#cache.close()
  }

  #readable(offset: LogOffset, bytesMax: number): number {
    return Math.min(bytesMax, this.segmentStart(offset) + this.limits.segmentBytes - offset)
  }

  #file(start: LogOffset): ReturnType<FileCache['get']> {
    return this.#cache.get(`${this.directory}/${logFileName(start)}`)
  }
}

/** Starts of the segments, checked. */
function startsIn(
  files: Files,
  directory: string,
  limits: ScanLimits,
  cache: FileCache,
): readonly LogOffset[] {
  const starts: LogOffset[] = []
  const { segmentBytes } = limits
  for (const name of files.list(directory)) {
    const start = positionOfLogFile(name)
    if (start === undefined) continue
    const size = cache.get(`${directory}/${name}`).size()
    if (start % segmentBytes !== 0 || size > segmentBytes) {
      const what = `${directory}/${name} has ${size} bytes; files of the commit log here have ${segmentBytes}, and names to fit`
      throw new BrokerError('STORE_FOREIGN', what, {
        facts: { directory, name, size, segmentBytes },
      })
    }
    const before = starts.at(-1)
    if (before !== undefined && start !== before + segmentBytes) {
      throw new BrokerError(
        'LOG_CORRUPT',
        `the commit log in ${directory} lacks the file ${logFileName(before + segmentBytes)}; ${repairHint(directory)}`,
        {
          facts: { directory, offset: before + segmentBytes },
        },
      )
    }
    starts.push(start)
  }
  return starts
}
