import type { Files, OpenFile } from '@tandemmq/base'

/** A file of a store, read in windows and never written. What it lacks reads as zeros. */
export class StoredFile implements Disposable {
  readonly path: string
  readonly #file: OpenFile
  readonly bytes: number

  constructor(files: Files, path: string) {
    this.path = path
    this.#file = files.open(path, 'read')
    this.bytes = this.#file.size()
  }

  read(position: number, length: number): Buffer {
    const target = Buffer.alloc(length)
    this.#file.read(target, position)
    return target
  }

  [Symbol.dispose](): void {
    this.#file.close()
  }
}

/** Position a file is named by, if it is named so. */
export function positionOf(name: string): number | undefined {
  return /^\d{20}$/.test(name) && Number.isSafeInteger(Number(name)) ? Number(name) : undefined
}

export function nameOf(position: number): string {
  return String(position).padStart(20, '0')
}
