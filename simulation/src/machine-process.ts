import type { ProcessPorts, SimulatedMachine } from '@tandemmq/testkit'

/** A process that misfortunes strike, on a machine of its own. */
export abstract class MachineProcess {
  readonly machine: SimulatedMachine
  #state: 'down' | 'up' | 'stopped' = 'down'

  constructor(machine: SimulatedMachine) {
    this.machine = machine
  }

  get name(): string {
    return this.machine.name
  }

  get state(): 'down' | 'up' | 'stopped' {
    return this.#state
  }

  /** Does nothing unless it is down. */
  start(): void {
    if (this.#state !== 'down') return
    this.#state = 'up'
    this.begun(this.machine.boot())
  }

  /** SIGKILL. */
  kill(): void {
    this.#end()
    this.machine.kill()
  }

  cutPower(): void {
    this.#end()
    this.machine.cutPower()
  }

  /** SIGSTOP. Does nothing unless it is up. */
  stop(): void {
    if (this.#state !== 'up') return
    this.#state = 'stopped'
    this.machine.freeze()
  }

  /** SIGCONT. Does nothing unless it is stopped. */
  goOn(): void {
    if (this.#state !== 'stopped') return
    this.#state = 'up'
    this.machine.thaw()
  }

  /** Its process has begun, with these ports. */
  protected abstract begun(ports: ProcessPorts): void

  /** Its process is about to be gone: nothing of it may be used any more. */
  protected abstract ended(): void

  #end(): void {
    this.#state = 'down'
    this.ended()
  }
}
