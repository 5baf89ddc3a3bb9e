import type { Messaging } from '@tandemmq/messaging'
import { masterOf, Registration, type Appointment, type RegistryAnswer } from '@tandemmq/registry'
import { selfReport, type SelfView } from './broker-description.ts'
import { brokerHandBack, considerHandBack } from './broker-hand-back.ts'
import type { BrokerPorts } from './broker-options.ts'
import { brokerSuccession } from './broker-succession.ts'
import { extendLease } from './extended-lease.ts'
import type { HandBack } from './hand-back.ts'
import type { ServingKnowledge } from './serving-token.ts'
import type { Succession } from './succession.ts'
import { TokenPromise } from './token-promise.ts'

/**
 * A broker as a member of its set: registered or not, serving consumers or not, and what follows from either. Without a registry it is alone: a master then
 * serves under one epoch for as long as it lives, a slave never (rule 4.2).
 */
export class Membership {
  /** `undefined`: there is no registry. */
  readonly registration: Registration | undefined
  readonly #self: SelfView
  readonly #api: Messaging
  readonly #alone: ServingKnowledge | undefined
  readonly #handBack: HandBack | undefined
  readonly #succession: Succession | undefined
  readonly #appointedListeners = new Set<(appointment: Appointment) => void>()
  readonly #stops: (() => void)[] = []

  /** Registers at once, where there is a registry. */
  constructor(self: SelfView, api: Messaging, ports: BrokerPorts) {
    const { clock, random, logger, registry } = ports
    const { role } = self
    this.#self = self
    this.#api = api
    if (role.kind === 'slave') role.followServing(() => this.servingEpoch !== undefined)
    if (registry === undefined) {
      if (role.kind === 'master') {
        this.#alone = { servingEpoch: clock.now(), isPromised: true, seenEpoch: clock.now() }
      }
      return
    }
    const registration = Registration.start({}, { clock, random, logger }, registry, selfReport(self))
    this.registration = registration
    if (role.kind === 'slave' && role.followed !== undefined) {
      this.#handBack = brokerHandBack(self, api, registration, role.followed.source, ports)
    }
    this.#succession = brokerSuccession(self, api, registration, ports, (appointment) => {
      for (const listener of this.#appointedListeners) listener(appointment)
    })
    if (role.kind === 'slave') {
      const promise = new TokenPromise(registration, self.options.root, ports)
      role.abstainBy(() => promise.give())
      this.#stops.push(registration.onAnswer(() => promise.heard()))
    } else this.#stops.push(extendLease(self, role, registration, clock))
    this.#stops.push(
      registration.onAnswer((answer) => this.#hear(answer)),
      registration.onServing((epoch) => this.#servingChanged(epoch)),
    )
  }

  /** Under which epoch consumers may be answered here at this instant. */
  get serving(): ServingKnowledge {
    if (this.#alone !== undefined) return this.#alone
    const { registration } = this
    return {
      servingEpoch: registration?.servingEpoch,
      isPromised: registration?.isPromised === true,
      seenEpoch: registration?.holder.seenEpoch ?? 0,
    }
  }

  /** `undefined`: consumers are not answered here. */
  get servingEpoch(): number | undefined {
    return this.serving.servingEpoch
  }

  /** Nobody is served here until it is known whether the master has it all. */
  get isHandingBack(): boolean {
    return this.#handBack?.isSealed ?? false
  }

  /** Heard from the registry, or there is none to be heard from. */
  get isRegistered(): boolean {
    return this.registration?.isRegistered ?? true
  }

  /** Calls `listener` when the registry has answered, or serving has begun or ended; returns how to stop. */
  onChange(listener: () => void): () => void {
    const stops = [this.registration?.onAnswer(listener), this.registration?.onServing(listener)]
    return () => {
      for (const stop of stops) stop?.()
    }
  }

  /** See {@link Broker.onAppointed}. */
  onAppointed(listener: (appointment: Appointment) => void): () => void {
    this.#appointedListeners.add(listener)
    return () => this.#appointedListeners.delete(listener)
  }

  /** Something of this broker has changed that the registry should know at once. */
  changed(): void {
    this.registration?.changed()
  }

  /** The connection of a slave to its master is in another state. */
  linkChanged(): void {
    this.#offerTimers(this.servingEpoch !== undefined)
    this.changed()
  }

  /** Something has changed that giving serving back may have waited for. */
  considerHandBack(): void {
    const { role } = this.#self
    if (this.#handBack === undefined || this.registration === undefined || role.kind !== 'slave') return
    considerHandBack(this.#handBack, role, this.registration)
  }

  /** The registry sees this broker leave; a master says that it appends nothing any more. */
  leave(): void {
    this.registration?.close({ isGoodbye: this.#self.role.kind === 'master' })
    this.#succession?.stop()
    for (const stop of this.#stops) stop()
  }

  #hear(answer: RegistryAnswer): void {
    const { role } = this.#self
    this.#succession?.consider(answer)
    if (role.kind === 'slave') {
      role.heardOfMaster(masterOf(answer.members))
      return this.considerHandBack()
    }
    role.heardOfEpoch(answer.highestLogEpoch)
    if (role.steppedDown === answer.stepDown) return
    role.stepDown(answer.stepDown)
    this.changed()
  }

  #servingChanged(epoch: number | undefined): void {
    this.#self.visible.refresh()
    const answer = this.registration?.answer
    if (answer !== undefined) this.#succession?.consider(answer)
    if (epoch !== undefined) this.#self.metadata.countHeld()
    this.#offerTimers(epoch !== undefined)
    if (epoch !== undefined) this.#handBack?.served()
    if (epoch !== undefined || this.isHandingBack) return
    // Whoever waits here is told, and asks the one who serves now.
    this.#api.stopServing()
  }

  /** What is due while this slave serves it hands out itself (rule 5.6); of what an Apache master has delivered its log says nothing. */
  #offerTimers(isServing: boolean): void {
    const { role, options } = this.#self
    if (role.kind !== 'slave' || options.slave?.peer === 'apache') return
    if (isServing) this.#api.offerTimers()
    else this.#api.stopTimers()
  }
}
