import type { MessageStore, MessageToAppend } from '@tandemmq/storage'
import { ApacheStore } from './apache-store.ts'
import { AppendFloor } from './append-floor.ts'
import { contestFigures } from './contest.ts'
import { demandAppended, messagesOf } from './messages.ts'
import type { BenchPlan } from './plan.ts'
import { BenchDirectory, openMaster } from './store-stand.ts'

/** Messages of each size in one round. */
const COUNTS: Readonly<Record<number, number>> = { 128: 100_000, 1024: 100_000, 4096: 40_000, 65_536: 2500 }
const IN_FLIGHT = 64

/**
 * What an append costs, consume queues and index included: 64 messages are appended in one turn of the event loop, as the
 * broker gathers them, and all are dispatched before the next 64. Beside it the floor, and Apache's own store with 64 in flight.
 */
export async function appendCosts(plan: BenchPlan): Promise<Record<string, unknown>> {
  await using directory = await BenchDirectory.make(plan.directory)
  await using apacheDirectory = await BenchDirectory.make(plan.directory)
  await using apache = plan.apache ? await ApacheStore.start(apacheDirectory.path, 'ASYNC_FLUSH') : undefined
  using floor = new AppendFloor(directory.path)
  const figures: Record<string, unknown> = {}
  for (const [size, messages] of Object.entries(COUNTS)) {
    const bodyBytes = Number(size)
    const count = plan.scaled(messages)
    await using storeDirectory = await BenchDirectory.make(plan.directory)
    await using store = await openMaster(storeDirectory.path)
    const { size: recordBytes } = store.append(messagesOf(bodyBytes)(0))
    figures[size] = await contestFigures(plan.rounds, {
      count,
      ours: () => append(store, count, bodyBytes),
      floor: () => floor.append(count, bodyBytes, recordBytes),
      apache: apache && (() => apache.append(count, bodyBytes, IN_FLIGHT)),
    })
  }
  return figures
}

async function append(store: MessageStore, count: number, bodyBytes: number): Promise<void> {
  const message = messagesOf(bodyBytes)
  for (let n = 0; n < count;) {
    const turn: MessageToAppend[] = []
    while (turn.length < IN_FLIGHT && n < count) turn.push(message(n++))
    demandAppended(store.appendAll(turn))
    await store.dispatched.reached(store.end)
  }
}
