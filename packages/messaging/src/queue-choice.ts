import { javaHash } from '@tandemmq/codec'
import { consistentHash } from './consistent-hash.ts'

/** Into which queue a message goes. The client's own choice is ignored: clients hash message groups in different ways. */
export class QueueChoice {
  readonly #next = new Map<string, number>()

  /** A message group always gets the same queue of `queues`, on every broker and after every restart; others take turns. */
  choose(topic: string, queues: number, messageGroup: string | undefined): number {
    if (messageGroup !== undefined) return consistentHash(javaHash(messageGroup), queues)
    const turn = this.#next.get(topic) ?? 0
    this.#next.set(topic, turn >= 0x3fff_ffff ? 0 : turn + 1)
    return turn % queues
  }
}
