import type { Files, OpenFile, OpenMode } from '@tandemmq/base'
import { systemError } from './system-error.ts'

/** What a mount needs of its disk. */
interface Disk extends Files {
  readonly incarnation: number
}

/** A disk as one process sees it: after the process died, its leftover code can change nothing. */
export class MountedFiles implements Files {
  readonly #disk: Disk
  readonly #incarnation: number

  constructor(disk: Disk) {
    this.#disk = disk
    this.#incarnation = disk.incarnation
  }

  open(path: string, mode: OpenMode): OpenFile {
    return this.#live('open', path).open(path, mode)
  }

  exists(path: string): boolean {
    return this.#live('access', path).exists(path)
  }

  list(directory: string): readonly string[] {
    return this.#live('scandir', directory).list(directory)
  }

  makeDirectory(path: string): void {
    this.#live('mkdir', path).makeDirectory(path)
  }

  rename(from: string, to: string): void {
    this.#live('rename', from).rename(from, to)
  }

  remove(path: string): void {
    this.#live('rm', path).remove(path)
  }

  async syncDirectory(directory: string): Promise<void> {
    await this.#live('fsync', directory).syncDirectory(directory)
  }

  space(path: string): { readonly free: number; readonly total: number } {
    return this.#live('statfs', path).space(path)
  }

  #live(call: string, path: string): Disk {
    if (this.#incarnation !== this.#disk.incarnation) throw systemError('ESTALE', call, path)
    return this.#disk
  }
}
