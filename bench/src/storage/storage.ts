import { cpus, loadavg } from 'node:os'
import { appendCosts } from './append-cost.ts'
import { readCosts } from './read-cost.ts'
import { recoveryCosts } from './recovery-cost.ts'
import { startCosts } from './start-cost.ts'
import { syncFlushCosts } from './sync-flush-cost.ts'
import { touchMemory } from './touched-memory.ts'
import { batchAppendCosts } from './batch-append-cost.ts'
import { memoryCosts } from './memory-cost.ts'
import { planOf, type BenchPlan } from './plan.ts'

const sections: Readonly<Record<string, (plan: BenchPlan) => Promise<Record<string, unknown>>>> = {
  append: appendCosts,
  batchAppend: batchAppendCosts,
  syncFlush: syncFlushCosts,
  read: readCosts,
  recovery: recoveryCosts,
  start: startCosts,
  memory: memoryCosts,
}

/** What the storage engine costs, every figure beside its floor; where Java is there, beside Apache's own store. */
export async function storage(flags: readonly string[]): Promise<Record<string, unknown>> {
  const plan = planOf(flags, Object.keys(sections))
  const figures: Record<string, unknown> = {
    node: process.version,
    cores: cpus().length,
    loadAtStart: Math.round((loadavg()[0] ?? 0) * 10) / 10,
  }
  // Timers of a store do not keep a process alive.
  const alive = setInterval(() => undefined, 60_000)
  try {
    for (const name of plan.sections) {
      process.stderr.write(`${name} …\n`)
      touchMemory()
      figures[name] = await sections[name]?.(plan)
    }
  } finally {
    clearInterval(alive)
  }
  return figures
}
