import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import type { Cluster } from './cluster.ts'
import { SET } from './conf.ts'
import { ServingHistory, type Absence, type Grant, type HandBack } from './serving-history.ts'

const LOOK_EVERY_MS = 200
/** What a slave logs when its master has all that it knows. */
const HANDED_OVER = ['handed serving back to the master', 'told the master what is known here of progress']
/** What a master logs of a slave that is late (rule 5.8). */
const HUNG_UP = 'a watching slave has not acknowledged an orderly delivery in time: hung up'
const WATCHES_AGAIN = 'a slave that was hung up on watches again'

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

  constructor(cluster: Cluster) {
    this.#cluster = cluster
    this.#running = Promise.all(cluster.brokers.map(({ name }, id) => this.#watch(name, `${SET}-${id}`)))
  }

  /** Reads what has been granted since; sentences. */
  violations(): readonly string[] {
    for (const { epoch, holder } of grantsIn(this.#cluster.metadata.logFile)) this.#note(epoch, holder)
    return [...this.#violations]
  }

  /** As the services have logged it up to now. */
  history(): ServingHistory {
    const { brokers, metadata } = this.#cluster
    const handBacks = brokers.flatMap(({ logFile }, id) => handBacksIn(logFile, `${SET}-${id}`))
    const absences = brokers.flatMap(({ logFile }, id) => absencesIn(logFile, `${SET}-${id}`))
    const lostPowerAt = new Map(brokers.map((broker, id) => [`${SET}-${id}`, broker.lostPowerAt]))
    return new ServingHistory({ grants: grantsIn(metadata.logFile), handBacks, absences, lostPowerAt })
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  async #watch(name: string, identity: string): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      try {
        const metrics = await this.#cluster.metricsOf(name)
        if (metrics.value('rocketmq_ha_serving') === 1)
          this.#note(metrics.value('rocketmq_ha_serving_epoch') ?? 0, identity)
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

/** What metadata-rpc has logged of its grants. */
function grantsIn(logFile: string): readonly Grant[] {
  return linesWith(logFile, 'serving token granted').map((line) => {
    const { epoch, holder, time }: { epoch: number; holder: string; time: number } = JSON.parse(line)
    return { epoch, holder, at: time }
  })
}

function handBacksIn(logFile: string, from: string): readonly HandBack[] {
  return HANDED_OVER.flatMap((message) => linesWith(logFile, message)).map((line) => {
    const { master, time }: { master: string; time: number } = JSON.parse(line)
    return { from, to: master, at: time }
  })
}

function absencesIn(logFile: string, master: string): readonly Absence[] {
  const returns = watcherLines(logFile, WATCHES_AGAIN)
  return watcherLines(logFile, HUNG_UP).map(({ watcher: slave, time: since }) => {
    const until = returns.find(({ watcher, time }) => watcher === slave && time >= since)?.time
    return { slave, master, since, until }
  })
}

function watcherLines(
  logFile: string,
  message: string,
): readonly { readonly watcher: string; readonly time: number }[] {
  return linesWith(logFile, message).map((line) => {
    const { watcher, time }: { watcher: string; time: number } = JSON.parse(line)
    return { watcher, time }
  })
}

/** A log is lines of JSON; the last one of a service that was killed may be torn. */
function linesWith(logFile: string, message: string): readonly string[] {
  const lines = readFileSync(logFile, 'utf8').split('\n')
  return lines.filter((line) => line.endsWith('}') && line.includes(`"msg":"${message}"`))
}
