import { createHash } from 'node:crypto'
import { BrokerError, isNotTheContent, messageOf, type Files, type Logger } from '@tandemmq/base'
import { isJsonObject, parseApacheJson, type JsonObject } from '@tandemmq/codec'

const BYTES_MAX = 64 * 1024 * 1024

export interface ConfigContent {
  readonly json: JsonObject
  /** Of the bytes that were read. */
  readonly digest: string
  /** The file itself, or the fallback copy because the file was missing, empty or unreadable. */
  readonly source: 'file' | 'fallback'
}

/** One of Apache's `config/*.json` in a directory that exists: replaced in one step, with the content before it kept as `.bak`. */
export class ConfigFile {
  readonly name: string
  readonly #directory: string
  readonly #files: Files
  readonly #logger: Logger

  constructor(directory: string, name: string, files: Files, logger: Logger) {
    this.name = name
    this.#directory = directory
    this.#files = files
    this.#logger = logger
  }

  /** Undefined if there is neither the file nor its copy. Throws `STATE_FILE_CORRUPT` (fact `file`) if neither can be read. */
  read(): ConfigContent | undefined {
    const path = `${this.#directory}/${this.name}`
    const problems: string[] = []
    for (const [source, at] of [
      ['file', path],
      ['fallback', `${path}.bak`],
    ] as const) {
      if (!this.#files.exists(at)) continue
      try {
        const content = { ...this.#readFrom(at), source }
        if (problems.length > 0)
          this.#logger.warn({ file: at, why: problems[0] }, 'using the fallback copy of a config file')
        return content
      } catch (cause) {
        if (isNotTheContent(cause)) throw cause
        problems.push(`${at}: ${messageOf(cause)}`)
      }
    }
    if (problems.length === 0) return undefined
    throw new BrokerError(
      'STATE_FILE_CORRUPT',
      `${this.name} cannot be read: ${problems.join('; ')}: mend it, or remove both files if there is a journal, from which they are written again`,
      {
        facts: { file: path },
      },
    )
  }

  /**
   * Resolves once the new content is on disk under the file's name. `keepFallback`: what has that name now is damaged, and must not take the place of
   * the copy, which is not. `announce` is called once all but the name is on disk: what finds no room there was never announced.
   */
  async write(text: string, keepFallback: boolean, announce: () => Promise<void>): Promise<void> {
    const files = this.#files
    const path = `${this.#directory}/${this.name}`
    const temporary = `${path}.tmp`
    files.remove(temporary)
    const file = files.open(temporary, 'create')
    try {
      file.write(Buffer.from(text), 0)
      await file.dataSync()
      file.close()
    } catch (cause) {
      file.close()
      files.remove(temporary)
      throw cause
    }
    await announce()
    if (!keepFallback && files.exists(path)) files.rename(path, `${path}.bak`)
    files.rename(temporary, path)
    await files.syncDirectory(this.#directory)
  }

  #readFrom(path: string): { json: JsonObject; digest: string } {
    const file = this.#files.open(path, 'read')
    try {
      const size = file.size()
      if (size > BYTES_MAX) throw new BrokerError('CONFIG_INVALID', `it has ${size} bytes`)
      const bytes = Buffer.alloc(size)
      file.read(bytes, 0)
      const json = parseApacheJson(bytes.toString('utf8'))
      if (!isJsonObject(json)) throw new BrokerError('CONFIG_INVALID', 'it is no object')
      return { json, digest: digestOf(bytes) }
    } finally {
      file.close()
    }
  }
}

/** Tells whether a file is as we wrote it. */
export function digestOf(content: Buffer | string): string {
  return createHash('sha256').update(content).digest('hex').slice(0, 32)
}
