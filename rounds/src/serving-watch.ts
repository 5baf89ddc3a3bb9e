import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import type { Cluster } from './cluster.ts'
import { SET } from './conf.ts'

const LOOK_EVERY_MS = 200

/**
 * Who serves consumers under which epoch of the token: as metadata-rpc logs its grants, and as each broker says of itself while it serves. Two of
 * them under one epoch is a violation (rule 4.1).
 */
export class ServingWatch {
  readonly #cluster: Cluster
  readonly #holderOf = new Map<number, string>()
  readonly #violations = new Set<string>()
  readonly #stopping = new AbortController()
  readonly #running: Promise<unknown>
  #looks = 0

  constructor(cluster: Cluster) {
    this.#cluster = cluster
    this.#running = Promise.all(cluster.brokers.map(({ name }, id) => this.#watch(name, `${SET}-${id}`)))
  }

  /** Answers of brokers that said that they serve. */
  get looks(): number {
    return this.#looks
  }

  get epochs(): number {
    return this.#holderOf.size
  }

  /** Reads what has been granted since; sentences. */
  violations(): readonly string[] {
    for (const { epoch, holder } of grantsIn(this.#cluster.metadata.logFile)) this.#note(epoch, holder)
    return [...this.#violations]
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  async #watch(name: string, identity: string): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      try {
        const metrics = await this.#cluster.metricsOf(name)
        if (metrics.value('rocketmq_ha_serving') === 1) {
          this.#looks += 1
          this.#note(metrics.value('rocketmq_ha_serving_epoch') ?? 0, identity)
        }
      } catch {
        // It is away, or stands still.
      }
      await pause(LOOK_EVERY_MS)
    }
  }

  #note(epoch: number, identity: string): void {
    const before = this.#holderOf.get(epoch)
    if (before === undefined) this.#holderOf.set(epoch, identity)
    else if (before !== identity)
      this.#violations.add(`${before} and ${identity} both serve consumers under epoch ${epoch}`)
  }
}

/** What metadata-rpc has logged of its grants; its log is lines of JSON. */
function grantsIn(logFile: string): readonly { readonly epoch: number; readonly holder: string }[] {
  if (!existsSync(logFile)) return []
  const lines = readFileSync(logFile, 'utf8').split('\n')
  return lines.flatMap((line) => {
    if (!line.includes('"serving token granted"')) return []
    const { epoch, holder }: { epoch: number; holder: string } = JSON.parse(line)
    return [{ epoch, holder }]
  })
}
