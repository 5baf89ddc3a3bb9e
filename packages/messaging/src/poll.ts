import type { LogOffset, Timer } from '@tandemmq/base'
import type { CallContext, ReceiveAnswer, ReceiveRequest } from './api.ts'
import type { GroupView } from './catalog.ts'
import type { DeliveryQueue } from './delivery-queue.ts'
import type { Subscription } from './subscription.ts'
import type { TagFilter } from './tag-filter.ts'

/** One receive that waits for a message. */
export class Poll {
  readonly request: ReceiveRequest
  readonly context: CallContext
  readonly subscription: Subscription
  readonly group: GroupView
  readonly filter: TagFilter
  readonly answer: Promise<ReceiveAnswer>
  /** There were messages, and none matched. */
  filteredOnly = false
  /** What it is to get has to be known elsewhere first (rule 5.8). */
  isOffered = false
  /** Answered. */
  isOver = false
  /** Records are being read for it. */
  isWarming = false
  /** Those that were warmed since it looked for messages first, and the queue that they are in. */
  readonly warmed = new Set<LogOffset>()
  warmedOf: DeliveryQueue | undefined
  readonly #resolve: (answer: ReceiveAnswer) => void
  readonly #reject: (reason: unknown) => void
  #timer: Timer | undefined
  #leave: (() => void) | undefined

  constructor(
    request: ReceiveRequest,
    context: CallContext,
    subscription: Subscription,
    group: GroupView,
    filter: TagFilter,
  ) {
    this.request = request
    this.context = context
    this.subscription = subscription
    this.group = group
    this.filter = filter
    const { promise, resolve, reject } = Promise.withResolvers<ReceiveAnswer>()
    this.answer = promise
    this.#resolve = resolve
    this.#reject = reject
  }

  /** @param leave the caller is gone */
  begin(timer: Timer, leave: () => void): void {
    this.#timer = timer
    this.#leave = leave
    this.context.signal.addEventListener('abort', leave, { once: true })
  }

  end(answer: ReceiveAnswer): void {
    this.#stop()
    this.#resolve(answer)
  }

  fail(reason: unknown): void {
    this.#stop()
    this.#reject(reason)
  }

  #stop(): void {
    this.isOver = true
    this.#timer?.cancel()
    if (this.#leave) this.context.signal.removeEventListener('abort', this.#leave)
  }
}
