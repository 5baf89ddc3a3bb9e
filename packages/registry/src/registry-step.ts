import type { BrokerError } from '@tandemmq/base'
import type { Appointment } from './appointment.ts'
import type { MemberHello, MemberStatus } from './member.ts'
import type { RegistryAnswer } from './registry-answer.ts'
import type { RegistryState, SessionId } from './registry-state.ts'
import type { RelayAnswer, RelayHello, RelayStatus } from './relay-link.ts'

export type RegistryEvent =
  | { readonly kind: 'joined'; readonly session: SessionId; readonly hello: MemberHello }
  | { readonly kind: 'heard'; readonly session: SessionId; readonly status: MemberStatus }
  | { readonly kind: 'left'; readonly session: SessionId }
  | { readonly kind: 'relay-joined'; readonly session: SessionId; readonly hello: RelayHello }
  | { readonly kind: 'relay-heard'; readonly session: SessionId; readonly status: RelayStatus }
  | { readonly kind: 'relay-left'; readonly session: SessionId }
  /** The master of a set is asked to step down by the promotion of that number; undefined: it may go on. */
  | { readonly kind: 'step-down'; readonly set: string; readonly promotion: number | undefined }
  /** It was written down that this member is the master. */
  | { readonly kind: 'appointed'; readonly set: string; readonly appointment: Appointment }
  /** The time {@link wakeAt} named has come. */
  | { readonly kind: 'woken' }

export type RegistryEffect =
  | { readonly kind: 'answer'; readonly session: SessionId; readonly answer: RegistryAnswer }
  | { readonly kind: 'tell-relay'; readonly session: SessionId; readonly answer: RelayAnswer }
  /** The session is over; `left` need not follow. */
  | { readonly kind: 'hang-up'; readonly session: SessionId; readonly why: BrokerError }
  /** The token has a new epoch. */
  | { readonly kind: 'granted'; readonly set: string; readonly epoch: number; readonly holder: string }

export interface RegistryStep {
  readonly state: RegistryState
  readonly effects: readonly RegistryEffect[]
}
