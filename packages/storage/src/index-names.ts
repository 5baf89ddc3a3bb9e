import {
  readStateFile,
  readWhole,
  replaceStateFile,
  messageOf,
  type Files,
  type Logger,
} from '@tandemmq/base'
import { CheckedFields, decodeChecked, encodeChecked, type IndexGeometry } from '@tandemmq/codec'

const TITLE = 'TandemMQ index files 1'

/** What the index consisted of when it was synced last. */
export interface IndexInventory extends IndexGeometry {
  readonly names: readonly string[]
}

/**
 * Which index files there are, and of what shape: without it a file that is gone would not be missed. The index is
 * derived from the log: what is missing is built again.
 */
export class IndexNames {
  readonly #files: Files
  readonly #root: string
  readonly #path: string
  #saved: string | undefined

  constructor(files: Files, root: string) {
    this.#files = files
    this.#root = root
    this.#path = `${root}/indexFiles`
  }

  /** `undefined`: nothing is known. */
  load(logger: Logger): IndexInventory | undefined {
    try {
      const read = readStateFile(this.#files, this.#path, decodeInventory)
      return read === undefined || read.isStale ? undefined : read.value
    } catch (failure) {
      logger.warn({ path: this.#path, why: messageOf(failure) }, 'the list of index files cannot be read')
      return undefined
    }
  }

  /** Resolves when it is durable that the index consists of these files. */
  async save(inventory: IndexInventory): Promise<void> {
    const content = encodeChecked(TITLE, inventory)
    const text = content.toString()
    if (text === this.#saved) return
    await replaceStateFile(this.#files, this.#path, content)
    this.#saved = text
  }

  /** Resolves when it is durable that nothing is known. */
  async forget(): Promise<void> {
    const paths = [this.#path, `${this.#path}.bak`].filter((path) => this.#files.exists(path))
    for (const path of paths) this.#files.remove(path)
    if (paths.length > 0) await this.#files.syncDirectory(this.#root)
  }
}

/** What the index consisted of, for who looks at a store from outside; `undefined` if that is not known. Throws `STATE_FILE_CORRUPT`. */
export function readIndexInventory(files: Files, root: string): IndexInventory | undefined {
  const path = `${root}/indexFiles`
  return files.exists(path) ? decodeInventory(readWhole(files, path)) : undefined
}

function decodeInventory(content: Buffer): IndexInventory {
  const fields = new CheckedFields(TITLE, decodeChecked(TITLE, content))
  return {
    slots: fields.position('slots'),
    entries: fields.position('entries'),
    names: fields.list('names').map(String),
  }
}
