import { BrokerError } from '@tandemmq/base'
import type { MemberHello } from './member.ts'
import {
  isAlive,
  type Instant,
  type MemberState,
  type RegistryState,
  type SessionId,
  type SetState,
} from './registry-state.ts'

export type Admission =
  | {
      readonly kind: 'admitted'
      /** An earlier registration of the same identity, which is over now. */
      readonly replaced?: { readonly session: SessionId; readonly why: BrokerError }
    }
  | { readonly kind: 'refused'; readonly why: BrokerError }

/** Whether a broker may register. Every refusal is `PEER_REFUSED` with a sentence that names who is in the way. */
export function admission(
  state: RegistryState,
  set: SetState | undefined,
  hello: MemberHello,
  now: Instant,
): Admission {
  const { options } = state
  if (hello.cluster !== options.cluster) {
    return refused('wrong-cluster', `this registry keeps cluster ${options.cluster}, not ${hello.cluster}`)
  }
  if (options.only.length > 0 && !options.only.includes(hello.set)) {
    return refused(
      'wrong-set',
      `this registry keeps ${options.only.join(', ')}, not the broker set ${hello.set}`,
    )
  }
  if (!set && state.sets.size >= options.setsMax) {
    return refused('full', `this registry keeps ${options.setsMax} broker sets already`)
  }
  const known = set?.members.get(hello.identity)
  if (!known && set && set.members.size >= options.membersMax) {
    return refused('full', `set ${set.name} has ${options.membersMax} members already`)
  }
  const master = set && otherMaster(set, hello)
  if (master && isAlive(master, options, now)) {
    return refused(
      'second-master',
      `set ${hello.set} follows master ${master.hello.identity} at ${master.hello.grpcAddress}; ` +
        `${hello.identity} at ${hello.grpcAddress} cannot be a second one`,
    )
  }
  if (known?.session === undefined) return { kind: 'admitted' }
  if (known.hello.instanceId !== hello.instanceId && isAlive(known, options, now)) {
    return refused(
      'doubled-identity',
      `another process is registered as ${hello.identity} of set ${hello.set} at ${known.hello.grpcAddress}, and it is alive`,
    )
  }
  const why = new BrokerError('PEER_REFUSED', `${hello.identity} has registered again`)
  return { kind: 'admitted', replaced: { session: known.session, why } }
}

/** Only a registration is in the way: a master that left may have been replaced for good. */
function otherMaster(set: SetState, hello: MemberHello): MemberState | undefined {
  // Who was appointed is the master whoever else says to be; the others are told so.
  if (hello.role !== 'master' || (set.appointment ?? hello.appointment) !== undefined) return undefined
  return [...set.members.values()].find(
    (member) =>
      member.hello.role === 'master' &&
      member.hello.identity !== hello.identity &&
      member.session !== undefined,
  )
}

/** `reason` is one word for logs. */
function refused(reason: string, sentence: string): Admission {
  return { kind: 'refused', why: new BrokerError('PEER_REFUSED', sentence, { facts: { reason } }) }
}
