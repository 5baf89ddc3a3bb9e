import type { SimulatedMachine } from '@tandemmq/testkit'

/** A process that misfortunes strike, on a machine of its own. */
export interface MachineProcess {
  readonly name: string
  readonly machine: SimulatedMachine
  readonly state: 'down' | 'up' | 'stopped'
  /** Does nothing unless it is down. */
  start(): void
  /** SIGKILL. */
  kill(): void
  /** SIGSTOP. Does nothing unless it is up. */
  stop(): void
  /** SIGCONT. Does nothing unless it is stopped. */
  goOn(): void
}
