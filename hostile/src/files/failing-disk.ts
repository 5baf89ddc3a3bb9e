import { BrokerError, messageOf } from '@tandemmq/base'
import type { PlannedFailure } from '@tandemmq/testkit'
import { GROUP, message, StoreMachine, type BrokerStores } from './broker-stores.ts'
import type { FileImage } from './file-image.ts'
import { knowledgeOf } from './knowledge.ts'

/** What a run on a disk that fails once, or from one moment on, has come to. */
export interface FailingRun {
  /** The planned call was made at all: beyond that there is nothing more to fail. */
  readonly hasFailed: boolean
  /** In the start, while running, or in neither: it was caught and done again. */
  readonly refusedAt: 'start' | 'append' | 'flush' | 'nowhere'
  readonly codes: readonly string[]
}

const STARTS: ReadonlySet<string> = new Set(['DISK_FULL', 'UNAVAILABLE', 'SYSTEM_BUSY', 'LOG_FENCED'])
const APPENDS: ReadonlySet<string> = new Set([
  'DISK_FULL',
  'SYSTEM_BUSY',
  'LOG_FENCED',
  'NOT_WRITABLE',
  'LOG_CLOSED',
])

/**
 * One life of a broker on a disk that fails at one call: a start, messages and acknowledgements, a stop; then room returns and a new process finds everything that
 * was acknowledged. Throws, saying what, if an error is not typed, if something acknowledged is lost, or if the new process cannot append.
 */
export async function failingRun(image: FileImage, failure: PlannedFailure): Promise<FailingRun> {
  const machine = new StoreMachine(image)
  await machine.syncAll()
  const before = knowledgeOf(await machine.open())
  machine.disk.kill()
  const life = new Life(machine)
  machine.disk.fail(failure)
  await life.start()
  await life.work()
  const hasFailed = machine.disk.failedCalls > 0
  await life.stop()
  machine.disk.kill()

  const stores = await machine.openMaster()
  const after = knowledgeOf(stores)
  for (const body of [...before.bodies, ...life.acknowledged]) {
    if (!after.bodies.includes(body)) throw new Error(`${describe(failure)}: ${body} is lost`)
  }
  for (const [topic, offset] of life.acked) {
    if (!stores.metadata.progress.queue(GROUP, topic, 0).isAcked(offset)) {
      throw new Error(`${describe(failure)}: the acknowledgement of ${topic} ${offset} is lost`)
    }
  }
  stores.store.append(message('orders', 0, 'room again'))
  await machine.clock.outcome(stores.store.flush())
  return { hasFailed, refusedAt: life.refusedAt, codes: life.codes }
}

function describe({ call, code, nth, forever }: PlannedFailure): string {
  return `${code} at ${call} ${nth ?? 1}${forever === true ? ' and after' : ''}`
}

/** What one process does, and what it was told. */
class Life {
  readonly acknowledged: string[] = []
  readonly acked: (readonly [string, number])[] = []
  readonly codes: string[] = []
  refusedAt: FailingRun['refusedAt'] = 'nowhere'
  readonly #machine: StoreMachine
  #stores: BrokerStores | undefined

  constructor(machine: StoreMachine) {
    this.#machine = machine
  }

  async start(): Promise<void> {
    await this.#told('start', STARTS, async () => {
      this.#stores = await this.#machine.openMaster()
    })
  }

  async work(): Promise<void> {
    for (let n = 0; n < 45 && this.#stores !== undefined; n += 1) {
      const { store, metadata } = this.#stores
      const topic = n % 2 === 0 ? 'orders' : `fresh-${n % 6}`
      await this.#told('append', APPENDS, () => {
        const body = `failing ${n} ${'-'.repeat(150)}`
        const { queueOffset, offset } = store.append(message(topic, 0, body))
        return this.#told('flush', APPENDS, async () => {
          await this.#machine.clock.outcome(store.flush())
          this.acknowledged.push(`${topic} 0 ${queueOffset}: ${body}`)
          const stamp = { logEpoch: store.epochAt(offset), physicalOffset: offset }
          metadata.commit({ kind: 'ack', group: GROUP, topic, queueId: 0, records: [{ queueOffset, stamp }] })
          this.acked.push([topic, queueOffset])
        })
      })
      if (n % 15 === 14) await this.#machine.clock.advance(11_000)
    }
  }

  async stop(): Promise<void> {
    if (this.#stores === undefined) return
    try {
      await this.#machine.close(this.#stores)
    } catch (failure) {
      if (!isOfDisk(failure)) throw failure
    }
  }

  async #told(
    at: FailingRun['refusedAt'],
    allowed: ReadonlySet<string>,
    act: () => Promise<void>,
  ): Promise<void> {
    try {
      await act()
    } catch (failure) {
      const code = failure instanceof BrokerError ? failure.code : undefined
      // Beneath a broker's own retry an epoch fails with what the disk said.
      if (code === undefined && at === 'start' && isOfDisk(failure)) this.codes.push('disk')
      else if (code === undefined || !allowed.has(code)) throw failure
      else this.codes.push(code)
      if (this.refusedAt === 'nowhere') this.refusedAt = at
      if (at === 'start') this.#stores = undefined
    }
  }
}

function isOfDisk(failure: unknown): boolean {
  return failure instanceof BrokerError || /ENOSPC|EMFILE|EIO/.test(messageOf(failure))
}
