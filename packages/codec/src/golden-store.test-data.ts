import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

/** A store that a genuine Apache RocketMQ wrote; see test/golden/README.md. */
export class GoldenStore {
  readonly name: string
  /** Sections of expected.json. */
  readonly expected: Readonly<Record<string, unknown>>
  readonly segmentBytes = 65536
  readonly #files: ReadonlyMap<string, ManifestFile>

  constructor(name: string) {
    this.name = name
    this.expected = JSON.parse(readFileSync(this.#url('expected.json'), 'utf8'))
    const manifest: { files: readonly ManifestFile[] } = JSON.parse(
      readFileSync(this.#url('manifest.json'), 'utf8'),
    )
    this.#files = new Map(manifest.files.map((file) => [file.path, file]))
  }

  /** Paths of the files under a directory, sorted. */
  list(directory: string): string[] {
    return [...this.#files.keys()]
      .filter((path) => path.startsWith(`${directory}/`) && !path.endsWith('/'))
      .toSorted()
  }

  /** The file as it was, zeros at the end included, checked against its SHA-256. */
  read(path: string): Buffer {
    const file = this.#files.get(path)
    if (file === undefined) throw new Error(`${this.name} has no ${path}`)
    const gzip = file.stored === 'gzip'
    const stored = readFileSync(this.#url(`files/${path}${gzip ? '.gz' : ''}`))
    const bytes = Buffer.alloc(file.size)
    bytes.set(gzip ? gunzipSync(stored) : stored)
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    if (sha256 !== file.sha256) throw new Error(`${this.name}/${path} is not what the manifest describes`)
    return bytes
  }

  #url(path: string): URL {
    return new URL(`../../../test/golden/${this.name}/${path.replaceAll('%', '%25')}`, import.meta.url)
  }
}

interface ManifestFile {
  readonly path: string
  readonly size: number
  readonly sha256: string
  readonly stored: string
}

export const goldenStores: readonly GoldenStore[] = [
  'store',
  'store-crash',
  'store-extra',
  'store-5.3.3',
].map((name) => new GoldenStore(name))

/** What a section of expected.json lists per queue, in the same shape: entries of all its files, by `topic/queueId`. */
export function perQueue<Entry>(
  store: GoldenStore,
  directory: string,
  entriesOf: (file: string, bytes: Buffer) => readonly Entry[],
): Record<string, Entry[]> {
  const queues: Record<string, Entry[]> = {}
  for (const path of store.list(directory)) {
    const [topic, queueId, file = ''] = path.slice(directory.length + 1).split('/')
    const queue = (queues[`${topic}/${queueId}`] ??= [])
    queue.push(...entriesOf(file, store.read(path)))
  }
  return queues
}
