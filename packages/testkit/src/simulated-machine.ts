import type { Clock, Files, Net } from '@tandemmq/base'
import { MachineClock } from './machine-clock.ts'
import type { SeededRandom, Span } from './seeded-random.ts'
import type { SimulatedClock } from './simulated-clock.ts'
import { SimulatedFiles } from './simulated-files.ts'
import type { SimulatedHost } from './simulated-host.ts'
import type { SimulatedNet } from './simulated-net.ts'

export interface SimulatedMachineOptions {
  readonly name: string
  readonly time: SimulatedClock
  readonly net: SimulatedNet
  readonly random: SeededRandom
  readonly skewMs?: number
  readonly syncMs?: Span
  readonly totalBytes?: number
}

/** The ports of one process, all of which die with it. */
export interface ProcessPorts {
  readonly clock: Clock
  readonly files: Files
  readonly net: Net
  readonly random: SeededRandom
}

/** A computer: one disk, one place on the net, one process at a time. */
export class SimulatedMachine {
  readonly name: string
  readonly files: SimulatedFiles
  readonly host: SimulatedHost
  readonly #time: SimulatedClock
  readonly #random: SeededRandom
  #clock: MachineClock
  #skewMs: number

  constructor(options: SimulatedMachineOptions) {
    this.name = options.name
    this.#time = options.time
    this.#random = options.random
    this.#skewMs = options.skewMs ?? 0
    this.host = options.net.host(options.name)
    this.files = new SimulatedFiles({ ...options, clock: options.time, random: options.random.fork() })
    this.#clock = new MachineClock(this.#time, this.#skewMs)
  }

  /** Starts a process: ports for it. The one before must be dead. */
  boot(): ProcessPorts {
    this.host.powerOn()
    this.#clock.kill()
    this.#clock = new MachineClock(this.#time, this.#skewMs)
    return {
      clock: this.#clock,
      files: this.files.mount(this.#clock),
      net: this.host.attach(),
      random: this.#random.fork(),
    }
  }

  /** SIGKILL: what was written stays, peers are told by the kernel. */
  kill(): void {
    this.#clock.kill()
    this.files.kill()
    this.host.kill()
  }

  /** What was not synced is left to the seed; nobody is told. */
  cutPower(): void {
    this.#clock.kill()
    this.files.crash()
    this.host.powerOff()
  }

  /** SIGSTOP. */
  freeze(): void {
    this.#clock.freeze()
    this.host.freeze()
  }

  /** SIGCONT. */
  thaw(): void {
    this.#clock.thaw()
    this.host.thaw()
  }

  /** Makes the wall clock of this machine jump. */
  skew(ms: number): void {
    this.#skewMs += ms
    this.#clock.skew(ms)
  }
}
