import { silentLogger, silentMeter, type Files } from '@tandemmq/base'
import { SeededRandom, SimulatedClock, SimulatedFiles } from '@tandemmq/testkit'
import { MetadataStore, type LogKnowledge, type MetadataOptions } from './index.ts'

/** A log that holds every record. */
export const everything: LogKnowledge = { knowsStamp: () => true }

export const key = { group: 'G', topic: 'Orders', queueId: 0 } as const

export const stamp = (queueOffset: number, logEpoch = 1) => ({ logEpoch, physicalOffset: queueOffset * 100 })

export const delivery = (queueOffset: number, attempt = 1, deliveredAt = 1_000, invisibleMs = 10_000) => ({
  queueOffset,
  stamp: stamp(queueOffset),
  attempt,
  deliveredAt,
  invisibleMs,
})

export const acked = (queueOffset: number, logEpoch = 1) => ({
  queueOffset,
  stamp: stamp(queueOffset, logEpoch),
})

/** A clock, a disk, and stores on them. */
export class World {
  readonly clock = new SimulatedClock()
  readonly disk: SimulatedFiles

  constructor(seed = 1) {
    this.disk = new SimulatedFiles({ clock: this.clock, random: new SeededRandom(seed) })
  }

  /** A store in memory. */
  store(options: MetadataOptions = {}, log: LogKnowledge = everything): Promise<MetadataStore> {
    return this.#open(options, this.disk, log)
  }

  /** The store's directory, as a broker would have made it. */
  async prepare(): Promise<void> {
    this.disk.makeDirectory('/data')
    await this.clock.outcome(this.disk.syncDirectory('/'))
  }

  /** A store on the disk, as one process sees it. */
  async process(options: MetadataOptions = {}, log: LogKnowledge = everything): Promise<MetadataStore> {
    if (!this.disk.exists('/data')) await this.prepare()
    return this.clock.outcome(this.#open({ root: '/data', ...options }, this.disk.mount(), log))
  }

  put(path: string, text: string): void {
    this.disk.makeDirectory(path.slice(0, path.lastIndexOf('/')))
    this.disk.remove(path)
    const file = this.disk.open(path, 'create')
    file.write(Buffer.from(text), 0)
    file.close()
  }

  text(path: string): string {
    const file = this.disk.open(path, 'read')
    const bytes = Buffer.alloc(file.size())
    file.read(bytes, 0)
    return bytes.toString('utf8')
  }

  #open(options: MetadataOptions, files: Files, log: LogKnowledge): Promise<MetadataStore> {
    const ports = { files, clock: this.clock, log, logger: silentLogger, meter: silentMeter }
    return MetadataStore.open(options, ports)
  }
}
