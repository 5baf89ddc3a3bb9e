import type { MessageView, SimpleConsumer } from 'rocketmq-client-nodejs'

/** How long a message stays with whoever received it, ms: longer than a test takes. */
const HELD_MS = 120_000

/** Receives until so many are there; what comes with the last ones is there too. */
export async function received(consumer: SimpleConsumer, count: number): Promise<MessageView[]> {
  const messages: MessageView[] = []
  while (messages.length < count) {
    // A receive that is under way when a broker dies or serving moves may fail: it is asked again, as applications do.
    messages.push(...(await consumer.receive(16, HELD_MS).catch(() => [])))
  }
  return messages
}

export function textsOf(messages: readonly MessageView[]): string[] {
  return messages.map(({ body }) => body.toString()).toSorted()
}
