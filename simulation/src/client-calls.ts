import type { BrokerError } from '@tandemmq/base'
import type {
  AckEntry,
  AckStatus,
  DeliveredMessage,
  OutgoingMessage,
  ReceiveRequest,
  SendReceipt,
} from '@tandemmq/messaging'

/** The serving epoch that the gateway believes in (rule 4.3). */
export interface Stamp {
  readonly servingEpoch: number
  /** It does not know whether the holder still is one: an answer is wanted only by the promise of all others (rule 4.6). */
  readonly onPromise: boolean
}

/** What clients ask of a broker. */
export type Call =
  | { readonly kind: 'send'; readonly message: OutgoingMessage; readonly timeoutMs: number }
  | { readonly kind: 'receive'; readonly stamp: Stamp; readonly request: ReceiveRequest }
  | {
      readonly kind: 'ack'
      readonly stamp: Stamp
      readonly group: string
      readonly topic: string
      readonly entries: readonly AckEntry[]
    }

/** Who answered, when, and under which serving epoch: for the checkers only. */
export interface Witness {
  readonly by: string
  readonly epoch: number
  /** Monotonic, ms. */
  readonly at: number
  /** Wall clock, ms. */
  readonly wall: number
  /** Up to where it saw its log. */
  readonly visible: number
}

export type Answer =
  | { readonly kind: 'sent'; readonly receipt: SendReceipt }
  | { readonly kind: 'received'; readonly messages: readonly DeliveredMessage[]; readonly witness: Witness }
  | { readonly kind: 'acked'; readonly statuses: readonly AckStatus[]; readonly witness: Witness }
  | { readonly kind: 'failed'; readonly why: BrokerError }

export type Up =
  | { readonly kind: 'call'; readonly id: number; readonly call: Call }
  | { readonly kind: 'cancel'; readonly id: number }
export interface Down {
  readonly id: number
  readonly answer: Answer
}
