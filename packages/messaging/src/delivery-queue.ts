import type { QueueOffset } from '@tandemmq/base'

/** The batch of an orderly group that closes its queue to others. */
export interface OrderedBatch {
  /** The attempt that may have the same batch again. */
  readonly attemptId: string | undefined
  /** Under another one the queue may have been served elsewhere. */
  readonly servingEpoch: number
  readonly offsets: readonly QueueOffset[]
}

/** A client for which the broker keeps deliveries invisible. One object for all messages handed out together. */
export interface Hold {
  readonly clientId: string
  /** When the deliveries were made, monotonic, ms. */
  readonly since: number
  /** When they are to be prolonged, monotonic, ms. */
  readonly renewAt: number
}

/**
 * What this process knows about one group on one queue beyond the progress table. All of it may be forgotten: then an attempt does not get
 * its batch again, and messages held for a client end with their present invisibility.
 */
export class DeliveryQueue {
  readonly group: string
  readonly topic: string
  readonly queueId: number
  /** Not to be handed out by this process: unreadable, or copied to the dead letters and settled once the copy is visible. */
  readonly aside = new Set<QueueOffset>()
  /** Held for a client, in the order in which they are to be renewed. */
  readonly held = new Map<QueueOffset, Hold>()
  order: OrderedBatch | undefined
  /** A batch of an orderly group is about to be delivered: nobody else gets anything meanwhile (rule 5.8). */
  isOffered = false

  constructor(group: string, topic: string, queueId: number) {
    this.group = group
    this.topic = topic
    this.queueId = queueId
  }
}
