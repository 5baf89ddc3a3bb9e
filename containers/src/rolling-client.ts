import { join } from 'node:path'
import type { LogLines } from '@tandemmq/interop'
import type { StartedTestContainer } from 'testcontainers'
import { imageOf } from './images.ts'
import { WiredContainer } from './wired-container.ts'

const REPOSITORY = join(import.meta.dirname, '..', '..')

/**
 * A producer and a simple consumer that never stop, each call by the official client as an application makes it: what fails is written down
 * and nothing is tried again, but an acknowledgement. SIGTERM: no more sends, and the end once all that was accepted has come.
 */
const SCRIPT = `
  const { Producer, SimpleConsumer } = require('/repository/containers/node_modules/rocketmq-client-nodejs')
  const logger = { info() {}, warn() {}, error() {}, debug() {} }
  const connection = { endpoints: process.argv[1], namespace: '', logger }
  const accepted = new Set()
  const consumed = new Set()
  const failures = { receive: [], ack: [], send: [] }
  // As one line of a container's log: not more than 16 KiB.
  const kinds = new Set()
  const failed = (kind, error) => {
    const first = kind + error.message.slice(0, 60)
    if (kinds.has(first) && failures[kind].length >= 10) return
    kinds.add(first)
    failures[kind].push(new Date().toISOString() + ' ' + error.message.slice(0, 300))
  }
  let isStopping = false
  let isSent = false
  process.once('SIGTERM', () => { isStopping = true })
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
  ;(async () => {
    const producer = new Producer({ ...connection, topics: ['RollingInside'], maxAttempts: 1 })
    await producer.startup()
    const sending = (async () => {
      for (let n = 0; !isStopping; n += 1) {
        try {
          await producer.send({ topic: 'RollingInside', body: Buffer.from(String(n)) })
          accepted.add(String(n))
        } catch (error) { failed('send', error) }
        await pause(5)
      }
      isSent = true
    })()
    const subscriptions = new Map([['RollingInside', '*']])
    const consumer = new SimpleConsumer({ ...connection, consumerGroup: 'rolling-inside', subscriptions, awaitDuration: 5000 })
    await consumer.startup()
    const isThrough = () => isSent && [...accepted].every((n) => consumed.has(n))
    const acknowledge = async (message) => {
      for (let attempt = 0; attempt < 5; attempt += 1) {
        try { return await consumer.ack(message) } catch (error) { failed('ack', error) }
      }
    }
    const saying = setInterval(() => console.log(JSON.stringify({ accepted: accepted.size, consumed: consumed.size })), 200)
    while (!isThrough()) {
      try {
        for (const message of await consumer.receive(16, 15000)) {
          consumed.add(message.body.toString())
          await acknowledge(message)
        }
      } catch (error) { failed('receive', error); await pause(50) }
    }
    await sending
    clearInterval(saying)
    console.log(JSON.stringify({ through: true, accepted: accepted.size, consumed: consumed.size, failures }))
    process.exit(0)
  })()
`

export interface RollingResult {
  readonly accepted: number
  readonly consumed: number
  /** What the application saw as exceptions, each with its time: the first ten, and the first of each kind. */
  readonly failures: Readonly<Record<'receive' | 'ack' | 'send', readonly string[]>>
}

/** An application in a container on the network of a cluster, which finds it by one name. */
export class RollingClient implements AsyncDisposable {
  readonly #lines: LogLines
  readonly #started: StartedTestContainer

  private constructor(lines: LogLines, started: StartedTestContainer) {
    this.#lines = lines
    this.#started = started
  }

  /** Resolves when the first messages have come. `lines`: where it says how far it is. */
  static async start(network: string, endpoints: string, lines: LogLines): Promise<RollingClient> {
    const container = new WiredContainer(imageOf('metadata-rpc'), network, 'client')
      .withBindMounts([{ source: REPOSITORY, target: '/repository', mode: 'ro' }])
      .withEntrypoint(['node', '-e', SCRIPT, endpoints])
      .withLogConsumer((stream) => lines.follow(stream, 'client | '))
    const client = new RollingClient(lines, await container.start())
    await client.goesOn()
    return client
  }

  /** Resolves when some more messages were accepted and consumed. */
  async goesOn(): Promise<void> {
    const last = this.#lines.having('client | {"accepted"').at(-1)
    const before = last === undefined ? { accepted: 0, consumed: 0 } : progressOf(last)
    for (let from = this.#lines.all.length; ; from += 1) {
      const line = await this.#lines.line(['client | {"accepted"'], from)
      from = this.#lines.all.indexOf(line, from)
      const { accepted, consumed } = progressOf(line)
      if (accepted >= before.accepted + 100 && consumed >= before.consumed + 100) return
    }
  }

  /** No more sends; resolves once everything has come. */
  async finish(): Promise<RollingResult> {
    await this.#started.stop({ timeout: 60_000, remove: false })
    const line = await this.#lines.line(['client | ', '"through":true'])
    const result: RollingResult = JSON.parse(line.slice(line.indexOf('{')))
    return result
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#started.stop({ timeout: 1_000 })
  }
}

function progressOf(line: string): { readonly accepted: number; readonly consumed: number } {
  const said: { readonly accepted: number; readonly consumed: number } = JSON.parse(
    line.slice(line.indexOf('{')),
  )
  return said
}
