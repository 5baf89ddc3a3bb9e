import type { Check, Problem, Readiness } from '@tandemmq/base'
import { masterOf, type Registration } from '@tandemmq/registry'
import { failureOf, NO_ROOM, type SelfView } from './broker-description.ts'
import type { MasterRole } from './master-role.ts'
import { CAUGHT_UP_BYTES, type SlaveRole } from './slave-role.ts'

/** Whether a broker does its work now, for health checks and operators. */
export interface BrokerReadiness extends Readiness {
  readonly role: 'master' | 'slave'
  readonly set: string
  readonly identity: string
  /** Whether this broker answers consumers at this instant. */
  readonly serving: boolean
  /** A master: in words, what OK means here. */
  readonly okMeans?: string
}

export interface ReadinessSources {
  readonly self: SelfView
  readonly registration: Registration | undefined
  /** The epoch under which consumers are answered now. */
  readonly servingEpoch: number | undefined
  /** A hand-back of the serving token is under way. */
  readonly isHandingBack: boolean
}

/** Counts and compares what is known already: cheap enough for every second. */
export function brokerReadiness(sources: ReadinessSources): BrokerReadiness {
  const { options, role } = sources.self
  const problems: readonly Problem[] = [
    ...(role.kind === 'master' ? mastersProblems(sources, role) : slavesProblems(sources, role)),
    ...all('registered', unregistered(sources)),
    ...all('serving', notServed(sources)),
  ]
  return {
    ready: problems.length === 0,
    role: role.kind,
    set: options.set,
    identity: options.identity,
    serving: sources.servingEpoch !== undefined,
    problems,
    ...(role.kind === 'master' && { okMeans: role.okMeans }),
  }
}

/** `writable`: a send would be stored now. `in_sync`: as many replicas as the mode waits for can acknowledge. */
function mastersProblems({ self }: ReadinessSources, role: MasterRole): readonly Problem[] {
  const missing = role.durability.shortageAndWayOut()
  return [
    ...all('writable', [
      ...role.writability.problems,
      ...failures(self),
      ...(self.store.isDiskFull ? [NO_ROOM] : []),
      ...(missing === undefined ? [] : [missing]),
    ]),
    ...all('in_sync', missing === undefined ? [] : [missing]),
  ]
}

/** A slave that serves because its master is gone does its work, although there is nobody to be in sync with. */
function slavesProblems(sources: ReadinessSources, role: SlaveRole): readonly Problem[] {
  const { self, registration, servingEpoch } = sources
  const standsIn = !role.masterConnected && !role.isRefused && servingEpoch !== undefined
  const words = [...failures(self)]
  if (role.problem !== undefined) {
    if (!standsIn) words.push(role.problem)
  } else {
    const masterEnd = masterOf(registration?.answer?.members ?? [])?.end
    const lag = (masterEnd ?? 0) - self.store.end
    if (lag > CAUGHT_UP_BYTES) words.push(`${lag} bytes of the log of its master are still to be copied`)
  }
  return all('in_sync', words)
}

function unregistered({ registration }: ReadinessSources): readonly string[] {
  if (registration === undefined || registration.isRegistered) return []
  return [registration.refusal?.message ?? 'metadata-rpc does not answer: not registered there now']
}

/** Consumers are answered here, or by another member, in whose place this one could step. */
function notServed({ self, registration, servingEpoch, isHandingBack }: ReadinessSources): readonly string[] {
  const broken = failures(self)
  if (broken.length > 0) return broken
  // Without a registry a master always serves and a slave never does (rule 4.2).
  if (servingEpoch !== undefined || isHandingBack || registration === undefined) return []
  const { identity, set } = self.options
  const holder = registration.answer?.token?.holder
  if (holder !== undefined && holder !== identity) return []
  return [
    holder === undefined
      ? `nobody holds the serving token of ${set} as far as is known here`
      : 'the lease of the serving token is over and was not renewed',
  ]
}

function failures(self: SelfView): readonly string[] {
  const failure = failureOf(self)
  return failure === undefined ? [] : [failure.message]
}

function all(check: Check, messages: readonly string[]): readonly Problem[] {
  return messages.map((message) => ({ check, message }))
}
