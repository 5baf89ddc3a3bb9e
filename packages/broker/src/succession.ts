import type { Clock, Timer } from '@tandemmq/base'
import type { Appointment, Registration, RegistryAnswer } from '@tandemmq/registry'
import type { BrokerOptions } from './broker-options.ts'

/** A successor that takes no messages may need this broker as its slave first: it is not waited for any longer, ms. */
const PATIENCE_MS = 10_000

export interface SuccessionParts {
  readonly clock: Clock
  readonly registration: Pick<Registration, 'mayServe'>
  readonly options: Pick<BrokerOptions, 'identity' | 'appointment'>
  readonly role: 'master' | 'slave'
  /** Somebody else is the master now. */
  depose(successor: string): void
  /** Consumers are answered here until their progress is with the new master; calls back when that is over. */
  handOver(appointment: Appointment, done: () => void): void
  /** This broker has to begin again, in the role that follows from it. */
  begin(appointment: Appointment): void
}

/**
 * Compares who was appointed master with what this broker is (rule 3.5). A role is taken up by beginning again: whoever runs the broker closes it, writes the
 * appointment down and opens it in the other role.
 */
export class Succession {
  readonly #parts: SuccessionParts
  #state: 'in place' | 'handing over' | 'over' = 'in place'
  #patience: Timer | undefined

  constructor(parts: SuccessionParts) {
    this.#parts = parts
  }

  /** The registry has answered, or serving has begun or ended. */
  consider({ appointment, members }: RegistryAnswer): void {
    const { registration, options, role } = this.#parts
    if (appointment === undefined || this.#state !== 'in place' || !this.#isNews(appointment, members)) return
    const isMine = appointment.identity === options.identity
    if (!isMine && role === 'master') this.#parts.depose(appointment.identity)
    // Nobody else answers consumers before this one has given up the token; the new master first has to be there to take it.
    if (!isMine && registration.mayServe()) {
      const successor = members.find(({ identity }) => identity === appointment.identity)
      if (successor?.alive !== true || !successor.writable) return this.#wait(appointment)
      this.#state = 'handing over'
      return this.#parts.handOver(appointment, () => this.#begin(appointment))
    }
    this.#begin(appointment)
  }

  stop(): void {
    this.#patience?.cancel()
  }

  #wait(appointment: Appointment): void {
    this.#patience ??= this.#parts.clock.after(PATIENCE_MS, () => {
      if (this.#state === 'in place') this.#begin(appointment)
    })
  }

  #begin(appointment: Appointment): void {
    this.#patience?.cancel()
    this.#state = 'over'
    this.#parts.begin(appointment)
  }

  #isNews(appointment: Appointment, members: RegistryAnswer['members']): boolean {
    const { options } = this.#parts
    const known = options.appointment
    if (known === undefined || appointment.epoch > known.epoch) return true
    // The master's addresses matter to its slaves only, and only by its own word: a registry that has just started tells those of the appointment.
    const isByItsWord = members.some(({ identity }) => identity === appointment.identity)
    const isMine = appointment.identity === options.identity
    const hasMoved =
      appointment.haAddress !== known.haAddress || appointment.grpcAddress !== known.grpcAddress
    return appointment.epoch === known.epoch && !isMine && isByItsWord && hasMoved
  }
}
