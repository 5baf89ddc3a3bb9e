import { silentLogger, silentMeter, type Files } from '@tandemmq/base'
import { SeededRandom, SimulatedClock, SimulatedFiles } from '@tandemmq/testkit'

/** A file of a store's directory, by its path below that. */
export type FileMap = ReadonlyMap<string, Buffer>

const ROOT = '/data'

/** A disk with a store's directory on it, and the time that goes by there. */
export class DiskWorld {
  readonly clock = new SimulatedClock()
  readonly random = new SeededRandom(7)
  readonly root = ROOT
  readonly #disk: SimulatedFiles

  constructor(files: FileMap = new Map()) {
    this.#disk = new SimulatedFiles({ clock: this.clock, random: this.random })
    this.#disk.makeDirectory(ROOT)
    for (const [path, bytes] of files) this.#put(`${ROOT}/${path}`, bytes)
  }

  /** Ports for one process on this disk. */
  ports(): {
    files: Files
    clock: SimulatedClock
    random: SeededRandom
    logger: typeof silentLogger
    meter: typeof silentMeter
  } {
    const { clock, random } = this
    return { files: this.#disk.mount(), clock, random, logger: silentLogger, meter: silentMeter }
  }

  /** Every file below `directory`, content included, without the zeros at the end of long ones. */
  files(directory = ''): FileMap {
    const found = new Map<string, Buffer>()
    for (const name of this.#disk.list(`${ROOT}/${directory}`)) {
      const path = directory === '' ? name : `${directory}/${name}`
      const bytes = this.#read(`${ROOT}/${path}`)
      if (bytes === undefined) for (const [below, content] of this.files(path)) found.set(below, content)
      else found.set(path, bytes)
    }
    return found
  }

  #put(path: string, bytes: Buffer): void {
    for (let slash = path.indexOf('/', 1); slash !== -1; slash = path.indexOf('/', slash + 1)) {
      this.#disk.makeDirectory(path.slice(0, slash))
    }
    const file = this.#disk.open(path, 'create')
    file.write(bytes, 0)
    file.close()
  }

  #read(path: string): Buffer | undefined {
    try {
      const file = this.#disk.open(path, 'read')
      const bytes = Buffer.alloc(file.size())
      file.read(bytes, 0)
      file.close()
      return bytes
    } catch {
      return undefined
    }
  }
}
