import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { freePort } from './free-ports.ts'
import { JavaProcess } from './java-process.ts'

/** A message as Apache's client decodes it. */
export interface SeenMessage {
  readonly topic: string
  readonly queueId: number
  readonly queueOffset: number
  readonly physicalOffset: number
  readonly size: number
  readonly bodyCrc: number
  readonly flag: number
  readonly sysFlag: number
  readonly bornTimestamp: number
  readonly storeTimestamp: number
  readonly reconsumeTimes: number
  /** Made of store host and log offset. */
  readonly messageId: string
  /** The client's message id. */
  readonly uniqueKey?: string
  readonly tags?: string
  readonly keys?: string
  readonly properties: Readonly<Record<string, string>>
  /** base64 */
  readonly body: string
}

export interface SeenQueue {
  readonly minOffset: number
  readonly maxOffset: number
  readonly messages: readonly SeenMessage[]
}

export interface Sent {
  readonly status: string
  readonly messageId: string
  readonly offsetMessageId: string
  readonly queueOffset: number
}

export interface ToSend {
  readonly queueId?: number
  readonly flag?: number
  readonly body: Buffer
  readonly properties?: Readonly<Record<string, string>>
}

interface Answer {
  readonly id?: number
  readonly ready?: boolean
  readonly error?: string
}

/** Apache's own Java client in a machine of its own; which broker is asked is said with every call. */
export class ApacheClient implements AsyncDisposable {
  readonly #process: JavaProcess
  readonly #waiting = new Map<number, (line: string) => void>()
  #id = 0

  private constructor(process: JavaProcess) {
    this.#process = process
    createInterface({ input: process.child.stdout }).on('line', (line) => this.#heard(line))
  }

  static async start(home: string): Promise<ApacheClient> {
    const process = new JavaProcess(home, 'ApacheClient', [])
    const client = new ApacheClient(process)
    await process.says('{"ready":true}')
    return client
  }

  /** All messages of a queue. `group`: whose consumer asks; it comes to be by that. */
  queue(broker: string, topic: string, queueId: number, group = 'interop'): Promise<SeenQueue> {
    return this.#ask({ do: 'queue', broker, topic, queueId, group })
  }

  view(broker: string, topic: string, messageId: string): Promise<SeenMessage> {
    return this.#ask({ do: 'view', broker, topic, messageId })
  }

  /** Messages with a key; `unique`: with a client's message id. */
  byKey(broker: string, topic: string, key: string, unique = false): Promise<readonly SeenMessage[]> {
    return this.#ask({ do: 'key', broker, topic, key, unique })
  }

  send(broker: string, topic: string, message: ToSend): Promise<Sent> {
    return this.#ask({ do: 'send', broker, topic, ...asked(message) })
  }

  /** One request with several messages. */
  batch(broker: string, topic: string, bodies: readonly Buffer[], queueId = 0): Promise<Sent> {
    return this.#ask({
      do: 'batch',
      broker,
      topic,
      queueId,
      bodies: bodies.map((body) => body.toString('base64')),
    })
  }

  /** A half message and its end; what comes back is of the half message. */
  transaction(broker: string, topic: string, message: ToSend, end: 'commit' | 'rollback'): Promise<Sent> {
    return this.#ask({ do: 'transaction', broker, topic, commit: end === 'commit', ...asked(message) })
  }

  /** A consumer group's progress in a queue is `offset` from now on. */
  async commit(broker: string, group: string, topic: string, queueId: number, offset: number): Promise<void> {
    await this.#ask({ do: 'commit', broker, group, topic, queueId, offset })
  }

  /** A consumer group's progress in a queue, as the broker knows it; undefined: it knows of none. */
  async committed(
    broker: string,
    group: string,
    topic: string,
    queueId: number,
  ): Promise<number | undefined> {
    const { offset } = await this.#ask<{ readonly offset: number }>({
      do: 'committed',
      broker,
      group,
      topic,
      queueId,
    })
    return offset < 0 ? undefined : offset
  }

  /** Starts Apache's name server in this machine; returns its `host:port`. */
  async nameServer(home: string): Promise<string> {
    const listenPort = await freePort()
    const configuration = join(home, 'namesrv.conf')
    writeFileSync(configuration, `listenPort=${listenPort}\n`)
    await this.#ask({ do: 'nameServer', configuration })
    return `127.0.0.1:${listenPort}`
  }

  /** Tells a name server of the master of a set, which does not do so itself. */
  async register(
    nameServer: string,
    brokerAddress: string,
    haAddress: string,
    brokerName = 'broker-a',
  ): Promise<void> {
    const names = { cluster: 'DefaultCluster', brokerName }
    await this.#ask({ do: 'register', nameServer, brokerAddress, haAddress, ...names })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]()
  }

  async #ask<Result>(request: Readonly<Record<string, unknown>>): Promise<Result> {
    this.#id += 1
    const id = this.#id
    const answered = new Promise<string>((resolve) => this.#waiting.set(id, resolve))
    this.#process.child.stdin.write(`${JSON.stringify({ id, ...request })}\n`)
    const ended = this.#process.exit.then((how) => {
      throw new Error(`the Java client has ended (${how}):\n${this.#process.lines.all.slice(-20).join('\n')}`)
    })
    ended.catch(() => undefined)
    const answer: Answer & { readonly result: Result } = JSON.parse(await Promise.race([answered, ended]))
    if (answer.error !== undefined) throw new Error(answer.error)
    return answer.result
  }

  #heard(line: string): void {
    if (!line.startsWith('{')) return
    const answer: Answer = JSON.parse(line)
    if (answer.id === undefined) return
    const resolve = this.#waiting.get(answer.id)
    this.#waiting.delete(answer.id)
    resolve?.(line)
  }
}

function asked({ body, queueId = 0, flag = 0, properties = {} }: ToSend): object {
  return { queueId, flag, properties, body: body.toString('base64') }
}
