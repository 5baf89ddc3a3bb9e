import { BrokerError, type Clock } from '@tandemmq/base'
import type { CallContext } from '@tandemmq/messaging'
import type { ServingView } from '@tandemmq/registry'
import { rocketmq } from '@tandemmq/rpc'
import { decoded } from '../client-api/decoded.ts'
import { ANSWER_MARGIN_MS, pollingTimeMs } from '../client-api/polling-time.ts'
import { groupName, topicName } from '../client-api/resource-names.ts'
import { isReadable, type RouteCatalog } from '../edge/route-catalog.ts'
import type { ServingCalls } from './serving-calls.ts'

export interface ReceiveCallsParts {
  readonly view: ServingView
  readonly catalog: RouteCatalog
  readonly servings: ServingCalls
  readonly clock: Clock
}

const METHOD = 'ReceiveMessage'

/**
 * Receives. A topic on one set is polled there. Of a topic on several sets, what is there already is taken from any of them, the one the client
 * names first, before one is waited on: a client asks them in turn, and would otherwise wait out its poll on a set whose master is
 * away while messages lie on another.
 */
export class ReceiveCalls {
  readonly #parts: ReceiveCallsParts

  constructor(parts: ReceiveCallsParts) {
    this.#parts = parts
  }

  async call(bytes: Uint8Array, context: CallContext): Promise<readonly Uint8Array[]> {
    const request = decoded(() => rocketmq.ReceiveMessageRequest.decode(bytes))
    groupName(request.group)
    const sets = this.#setsToRead(
      topicName(request.messageQueue?.topic),
      request.messageQueue?.broker?.name ?? '',
    )
    if (sets.length > 1) {
      const found = await this.#whatIsThere(bytes, context, sets)
      if (found) return found
    }
    const { clock, servings } = this.#parts
    const now = clock.monotonic()
    const remainingMs = (context.deadline ?? Number.POSITIVE_INFINITY) - now
    return servings.call(METHOD, bytes, context, {
      sets: this.#bestToWaitOn(sets),
      waitUntil: now + pollingTimeMs(request.longPollingTimeout, remainingMs),
    })
  }

  /** One look at each set; the first that has messages. */
  async #whatIsThere(
    bytes: Uint8Array,
    context: CallContext,
    sets: readonly string[],
  ): Promise<readonly Uint8Array[] | undefined> {
    const { clock, servings } = this.#parts
    for (const set of sets) {
      if (context.signal.aborted) return []
      const now = clock.monotonic()
      // A deadline too short for polling makes a broker answer with what it has.
      const deadline = Math.min(context.deadline ?? Number.POSITIVE_INFINITY, now + ANSWER_MARGIN_MS)
      try {
        const answer = await servings.call(
          METHOD,
          bytes,
          { ...context, deadline },
          { sets: [set], waitUntil: now },
        )
        if (holdsMessages(answer)) return answer
      } catch (thrown) {
        if (!(thrown instanceof BrokerError)) throw thrown // Nobody serves this set now: the next one.
      }
    }
    return undefined
  }

  #setsToRead(topic: string, named: string): readonly string[] {
    const { catalog, view } = this.#parts
    const placed = catalog.topic(topic).filter(isReadable)
    const sets = placed.length > 0 ? placed.map(({ set }) => set) : view.sets.map(({ set }) => set)
    return sets.includes(named) ? [named, ...sets.filter((set) => set !== named)] : sets
  }

  /** New messages come only to sets that can be written; the order stays among equals. */
  #bestToWaitOn(sets: readonly string[]): readonly string[] {
    const isWritable = (set: string): boolean => this.#parts.view.set(set)?.writable?.diskFull === false
    return [...sets.filter(isWritable), ...sets.filter((set) => !isWritable(set))]
  }
}

function holdsMessages(answer: readonly Uint8Array[]): boolean {
  const [first] = answer
  if (first === undefined) return false
  const { content } = rocketmq.ReceiveMessageResponse.decode(first)
  return (
    content?.$case === 'message' || (content?.$case === 'status' && content.value.code === rocketmq.Code.OK)
  )
}
