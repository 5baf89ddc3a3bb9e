import { appendFileSync, existsSync, mkdirSync, renameSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

const BYTES_MAX = 16 * 1024 * 1024

/** The log of one service: the current file and the one before it (`.1`), each at most 16 MiB. */
export class LogFile {
  readonly #path: string
  #bytes: number

  constructor(path: string) {
    this.#path = path
    mkdirSync(dirname(path), { recursive: true })
    this.#bytes = existsSync(path) ? statSync(path).size : 0
  }

  append(line: string): void {
    const bytes = Buffer.from(`${line}\n`)
    if (this.#bytes > 0 && this.#bytes + bytes.length > BYTES_MAX) {
      renameSync(this.#path, `${this.#path}.1`)
      this.#bytes = 0
    }
    appendFileSync(this.#path, bytes)
    this.#bytes += bytes.length
  }
}
