export { decodeAppointment, type Appointment } from './appointment.ts'
export { isRegistryName } from './checked-hello.ts'
export {
  noDetails,
  type HeldLease,
  type FollowingDetails,
  type LatencyDetails,
  type MemberDetails,
  type MemberHello,
  type MemberRole,
  type MemberStatus,
  type MemberWish,
  type MetadataSyncDetails,
  type RangeDetails,
  type ReplicaDetails,
  type VerificationDetails,
} from './member.ts'
export { masterOf, type MemberView, type RegistryAnswer, type TokenView } from './registry-answer.ts'
export type { RegistryLink, RegistrySession } from './registry-link.ts'
export {
  defaultRegistryOptions,
  emptyRegistry,
  type Instant,
  type RegistryOptions,
  type RegistryState,
  type SessionId,
} from './registry-state.ts'
export { step, wakeAt } from './registry-machine.ts'
export type { RegistryEffect, RegistryEvent, RegistryStep } from './registry-step.ts'
export type {
  RelayAnswer,
  RelayHello,
  RelayLink,
  RelaySession,
  RelayStatus,
  SetReport,
} from './relay-link.ts'
export type { PromotionRequest } from './promotion.ts'
export { SetRecordsFile, type SetRecord, type SetRecords } from './set-record.ts'
export { Registry, type RegistryPorts } from './registry.ts'
export type { Promoted } from './promotions.ts'
export type { MemberReport, ServingMember, ServingView, SetServing, WritableMember } from './serving-view.ts'
export { LeaseExtension, type LeaseExtensionParts } from './lease-extension.ts'
export { handBackTarget, type HandBackAddress } from './hand-back-target.ts'
export { RefusingRegistry } from './refusing-registry.ts'
export { RegistryRelay, type RegistryRelayPorts } from './registry-relay.ts'
export { holderMarginMs, TokenHolder, type TokenWords } from './token-holder.ts'
export {
  Registration,
  type RegistrationOptions,
  type RegistrationPorts,
  type RegistrationSource,
} from './registration.ts'
