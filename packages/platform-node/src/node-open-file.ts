import * as fs from 'node:fs'
import type { OpenFile } from '@tandemmq/base'

/**
 * An open descriptor. Closing while the thread pool still works on the descriptor waits for that work: the number
 * could otherwise be given to another file in between, and the pool would sync or read the wrong one.
 */
export class NodeOpenFile implements OpenFile {
  readonly path: string
  readonly #descriptor: number
  #pending = 0
  #closed = false

  constructor(path: string, descriptor: number) {
    this.path = path
    this.#descriptor = descriptor
  }

  size(): number {
    return fs.fstatSync(this.#open('fstat')).size
  }

  read(target: Uint8Array, position: number): number {
    const descriptor = this.#open('read')
    let done = 0
    try {
      while (done < target.length) {
        const count = fs.readSync(descriptor, target, done, target.length - done, position + done)
        if (count === 0) break
        done += count
      }
    } catch (failure) {
      throw this.#naming(failure)
    }
    return done
  }

  async readLater(target: Uint8Array, position: number): Promise<number> {
    let done = 0
    while (done < target.length) {
      const at = done
      const count = await this.#inPool<number>('read', (descriptor, settle) => {
        fs.read(descriptor, target, at, target.length - at, position + at, settle)
      })
      if (count === 0) break
      done += count
    }
    return done
  }

  write(bytes: Uint8Array, position: number): void {
    const descriptor = this.#open('write')
    let done = 0
    try {
      while (done < bytes.length) {
        done += fs.writeSync(descriptor, bytes, done, bytes.length - done, position + done)
      }
    } catch (failure) {
      throw this.#naming(failure)
    }
  }

  truncate(size: number): void {
    const descriptor = this.#open('ftruncate')
    try {
      fs.ftruncateSync(descriptor, size)
    } catch (failure) {
      throw this.#naming(failure)
    }
  }

  async dataSync(): Promise<void> {
    await this.#inPool<void>('fdatasync', (descriptor, settle) => {
      fs.fdatasync(descriptor, (failure) => settle(failure, undefined))
    })
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    if (this.#pending === 0) fs.closeSync(this.#descriptor)
  }

  #open(call: string): number {
    if (this.#closed) {
      throw Object.assign(new Error(`EBADF: file is closed, ${call} '${this.path}'`), { code: 'EBADF' })
    }
    return this.#descriptor
  }

  /** Calls on a descriptor fail without saying which file it is. */
  #naming(failure: unknown): unknown {
    if (!(failure instanceof Error) || 'path' in failure) return failure
    failure.message += ` '${this.path}'`
    return Object.assign(failure, { path: this.path })
  }

  #inPool<T>(
    call: string,
    start: (descriptor: number, settle: (failure: Error | null, value: T) => void) => void,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const descriptor = this.#open(call)
      this.#pending += 1
      start(descriptor, (failure, value) => {
        this.#pending -= 1
        if (this.#closed && this.#pending === 0) fs.closeSync(descriptor)
        if (failure === null) resolve(value)
        else reject(this.#naming(failure))
      })
    })
  }
}
