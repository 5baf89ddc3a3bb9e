import { AppendFloor } from './append-floor.ts'
import { contestFigures } from './contest.ts'
import { messagesOf } from './messages.ts'
import type { BenchPlan } from './plan.ts'
import { BenchDirectory, openMaster } from './store-stand.ts'

const BODY_BYTES = 1024
const BATCH = 32
const MESSAGES = 64_000

/** A client's batches of 32 messages of 1 KB, per message; the floor writes single messages. */
export async function batchAppendCosts(plan: BenchPlan): Promise<Record<string, unknown>> {
  await using directory = await BenchDirectory.make(plan.directory)
  await using store = await openMaster(directory.path)
  using floor = new AppendFloor(directory.path)
  const make = messagesOf(BODY_BYTES)
  const { size: recordBytes } = store.append(make(0))
  const count = Math.ceil(plan.scaled(MESSAGES) / BATCH) * BATCH
  const ours = async (): Promise<void> => {
    for (let n = 0; n < count; n += BATCH) {
      const messages = Array.from({ length: BATCH }, (_, index) => make(n + index))
      store.appendBatch({ ...make(n / BATCH), messages })
      await store.dispatched.reached(store.end)
    }
  }
  const figures = await contestFigures(plan.rounds, {
    count,
    ours,
    floor: () => floor.append(count, BODY_BYTES, recordBytes),
  })
  return { [BODY_BYTES]: { messagesInABatch: BATCH, ...figures } }
}
