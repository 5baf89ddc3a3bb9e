import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ext4Image, type PowerSwitch } from '@tandemmq/crash'
import { READY_VARIABLE } from '@tandemmq/platform-node'
import { environment, serviceCommand } from '@tandemmq/interop'
import type { Network } from './network.ts'

/** Room for all that a few minutes of load leave behind; the file is sparse. */
const DISK_BYTES = 1024 * 1024 * 1024
/**
 * What a machine does when it is switched on: its disk and its boot id are mounted where nobody else sees them, in the mount namespace that
 * `ip netns exec` makes, and go with the process.
 */
const SWITCH_ON =
  'mount -o loop "$IMAGE" "$STORE" && mount --bind "$BOOT_ID" /proc/sys/kernel/random/boot_id && exec "$@"'
/** The same for one without a disk of its own. */
const SWITCH_ON_DISKLESS = 'exec "$@"'

/** One machine with one service: a network namespace, and, for a broker, a disk whose power can be cut. */
export class Machine {
  /** As the launcher names the service. */
  readonly name: string
  readonly logFile: string
  /** Where its store lies, as its own service sees it. */
  readonly store: string
  readonly #network: Network
  readonly #directory: string
  readonly #disk: Ext4Image | undefined
  readonly #power: PowerSwitch
  #lostPowerAt = 0
  #boots = 0
  #child: ChildProcess | undefined
  #ended: Promise<unknown> = Promise.resolve()
  #isStopped = false

  constructor(
    name: string,
    parts: {
      readonly network: Network
      readonly power: PowerSwitch
      readonly directory: string
      readonly hasDisk: boolean
    },
  ) {
    const { network, power, directory, hasDisk } = parts
    this.name = name
    this.#network = network
    this.#power = power
    this.#directory = join(directory, name)
    this.store = join(this.#directory, 'store')
    this.logFile = join(directory, `${name}.log`)
    mkdirSync(this.store, { recursive: true })
    this.#disk = hasDisk ? Ext4Image.make(join(this.#directory, 'image'), DISK_BYTES) : undefined
    this.#boot()
  }

  /** The last time, wall clock, ms; 0: never. */
  get lostPowerAt(): number {
    return this.#lostPowerAt
  }

  /** Its store as this process sees it while the service runs. */
  get storeFromHere(): string {
    if (this.#disk === undefined) return this.store
    if (this.#child === undefined) throw new Error(`${this.name} is not up`)
    return `/proc/${this.#child.pid}/root${this.store}`
  }

  writeConf(conf: Readonly<Record<string, string | number | boolean>>): void {
    const lines = Object.entries(conf).map(([key, value]) => `${key}=${value}\n`)
    writeFileSync(this.#confFile, lines.join(''))
  }

  /** Switches it on, if it is off; it is not ready yet. */
  start(): void {
    if (this.#child !== undefined) return
    this.#network.heal(this.name)
    const log = openSync(this.logFile, 'a')
    const script = this.#disk === undefined ? SWITCH_ON_DISKLESS : SWITCH_ON
    const service = [
      process.execPath,
      '--max-semi-space-size=8',
      ...serviceCommand(this.name, '-c', this.#confFile),
    ]
    // In a process group of its own: a Ctrl-C at the terminal is for the rounds. It learns by the ready line's other end when they are gone.
    const child = spawn(
      'ip',
      ['netns', 'exec', this.#network.namespace(this.name), 'sh', '-c', script, 'sh', ...service],
      {
        stdio: ['ignore', log, log, 'pipe'],
        env: {
          ...environment,
          [READY_VARIABLE]: '3',
          IMAGE: this.#disk?.path,
          STORE: this.store,
          BOOT_ID: this.#bootIdFile,
        },
        detached: true,
      },
    )
    closeSync(log)
    this.#child = child
    this.#isStopped = false
    this.#ended = once(child, 'exit').then(() => {
      if (this.#child === child) this.#child = undefined
    })
  }

  /** SIGKILL: the machine lives on, its disk keeps what was written. */
  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL')
    await this.#ended
  }

  /** SIGSTOP. */
  stop(): void {
    this.#child?.kill('SIGSTOP')
    this.#isStopped = true
  }

  /** SIGCONT, if it was stopped. */
  goOn(): void {
    if (this.#isStopped) this.#child?.kill('SIGCONT')
    this.#isStopped = false
  }

  /** Nothing more is heard of it, and what it had not synced is lost; it comes back with another boot id. */
  async cutPower(): Promise<void> {
    const child = this.#child
    if (child === undefined || this.#disk === undefined) return
    // Not before it has stopped: it would have the time to write what it still takes.
    this.#power.cut(this.storeFromHere, child, () => this.#network.isolate(this.name))
    this.#lostPowerAt = Date.now()
    await this.#ended
    this.#boot()
  }

  /** The service ends in order; resolves when it is gone. */
  async end(): Promise<void> {
    this.#child?.kill('SIGTERM')
    this.#child?.kill('SIGCONT')
    await this.#ended
  }

  #boot(): void {
    this.#boots += 1
    writeFileSync(this.#bootIdFile, `${this.name}-boot-${this.#boots}\n`)
  }

  get #confFile(): string {
    return join(this.#directory, 'service.conf')
  }

  get #bootIdFile(): string {
    return join(this.#directory, 'boot-id')
  }
}
