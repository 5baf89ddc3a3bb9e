export type {
  AckEntry,
  AckStatus,
  CallContext,
  DeliveredMessage,
  FilterExpression,
  MessageType,
  MessagingApi,
  OutgoingMessage,
  ReceiptHandle,
  ReceiveAnswer,
  ReceiveRequest,
  SendReceipt,
  SendStatus,
} from './api.ts'
export { AppendTurn } from './append-turn.ts'
export { Messaging, type MessagingOptions, type MessagingPorts } from './messaging.ts'
export {
  isReadable,
  isWritable,
  type Catalog,
  type GroupView,
  type TopicType,
  type TopicView,
} from './catalog.ts'
export type {
  DelayView,
  Delivery,
  LeaseView,
  ProgressBook,
  ProgressChange,
  QueueProgressView,
  Settled,
} from './progress-book.ts'
export type { Durability, InternalWriting } from './durability.ts'
export type { Appended, Arrival, MessageLog, MessageToAppend, QueueView, VisibleEnd } from './message-log.ts'
export type { LeaseWitnesses } from './lease-witnesses.ts'
export type { ServingToken } from './serving.ts'
export { hasControl, type MessageRule, type OutgoingLimits } from './outgoing-limits.ts'
export { PropertyName } from './property-names.ts'
export { TIMER_QUEUE_ID, TIMER_TOPIC } from './timer-record.ts'
export { DEAD_LETTER_PREFIX } from './dead-letter-record.ts'
