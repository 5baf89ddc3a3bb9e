import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brokerPort, freePort } from './free-ports.ts'
import { JavaProcess } from './java-process.ts'

export interface ApacheBrokerOptions {
  /** `storePathRootDir` */
  readonly store: string
  /** Its configuration and logs; of its own for each start. */
  readonly home: string
  /** Further keys of its configuration, stronger than ours. */
  readonly keys?: Readonly<Record<string, string | number | boolean>>
  /** Further environment variables. */
  readonly environment?: Readonly<Record<string, string>>
}

/** What a broker also warns of that stands alone on a store of its own and is stopped and started: no word about a store of ours. */
const ORDINARY: readonly RegExp[] = [
  /No resource file with name|Load default /,
  /skip revive topic because timerWheelEnable is false/,
  /auto-read is disabled/,
  /interrupted, (?:this may caused|possibly) by shutdown/,
  /the topic \S+ not exist, producer:/,
  // A store that is empty, a disk that is slow.
  /The commitlog files are deleted, and delete the consume queue files|create mappedFile spent time/,
  // There is no name server.
  /refresh metadata exception/,
  /end transaction in sending message, rollback the message/,
  /TransactionalMessageCheckService - (?:No new message|The miss op offset)/,
  // The end of the log in its last file, and files that were made ahead.
  /found a illegal magic code 0x0$/,
  // `>=` is equality after every clean stop.
  /maxPhyOffsetOfConsumeQueue\((\d+)\) >= processOffset\(\1\)/,
]

/** A genuine Apache broker. */
export class ApacheBroker implements AsyncDisposable {
  /** `host:port` of its remoting listener. */
  readonly address: string
  /** `host:port` of its HA listener. */
  readonly haAddress: string
  readonly #process: JavaProcess

  private constructor(address: string, haAddress: string, process: JavaProcess) {
    this.address = address
    this.haAddress = haAddress
    this.#process = process
  }

  /** Resolves when it serves. Rejects with what it said if it does not come up. */
  static async start({
    store,
    home,
    keys = {},
    environment = {},
  }: ApacheBrokerOptions): Promise<ApacheBroker> {
    mkdirSync(home, { recursive: true })
    const ports = { listenPort: await brokerPort(), haListenPort: await freePort() }
    const values = { ...ports, ...defaults, storePathRootDir: store, ...keys }
    const file = join(home, 'broker.conf')
    writeFileSync(
      file,
      Object.entries(values)
        .map(([name, value]) => `${name}=${String(value)}\n`)
        .join(''),
    )
    const main = 'org.apache.rocketmq.broker.BrokerStartup'
    const process = new JavaProcess(home, main, ['-c', file], { environment })
    try {
      await process.says('boot success')
    } catch (failure) {
      await process.end('SIGKILL')
      throw failure
    }
    return new ApacheBroker(`127.0.0.1:${values.listenPort}`, `127.0.0.1:${values.haListenPort}`, process)
  }

  /** Resolves when it is gone, whatever ended it. */
  get exit(): Promise<unknown> {
    return this.#process.exit
  }

  /** An orderly stop; resolves when everything is on disk. */
  async stop(): Promise<void> {
    await this.#process.end('SIGTERM')
  }

  async kill(): Promise<void> {
    await this.#process.end('SIGKILL')
  }

  /** Warnings and errors of its log files so far. */
  complaints(): readonly string[] {
    return this.log().filter(
      (line) => /^\S+ \S+ (WARN|ERROR) /.test(line) && !ORDINARY.some((known) => known.test(line)),
    )
  }

  /** All lines of its log files. */
  log(): readonly string[] {
    const directory = join(this.#process.home, 'logs', 'rocketmqlogs')
    return readdirSync(directory)
      .filter((name) => name.endsWith('.log'))
      .flatMap((name) => readFileSync(join(directory, name), 'utf8').split('\n'))
      .filter((line) => line !== '')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]()
  }
}

const defaults = {
  brokerClusterName: 'DefaultCluster',
  brokerName: 'broker-a',
  brokerId: 0,
  brokerRole: 'ASYNC_MASTER',
  brokerIP1: '127.0.0.1',
  brokerIP2: '127.0.0.1',
  autoCreateTopicEnable: true,
  // Its wheel needs more direct memory than these machines have, and would move what is due.
  timerWheelEnable: false,
  mappedFileSizeCommitLog: 1024 * 1024,
  // Retention is not what is tested, however full the disk of this machine is.
  fileReservedTime: 720,
  deleteWhen: '04',
}
