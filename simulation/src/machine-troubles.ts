import type { SimulatedMachine } from '@tandemmq/testkit'
import type { MachineTrouble, Plan } from './plan.ts'

/** So much fits on a disk that is all but full, bytes. */
const LEFT_BYTES = 8 * 1024
/** What disks of simulated machines have. */
const WHOLE_BYTES = 2 ** 40
/** How long a sync takes on a slow disk. */
export const SLOW_SYNC_MS = { min: 100, max: 1_500 }

/** Makes it happen on that machine; returns how to put it right. */
export function troubleMachine(
  machine: SimulatedMachine,
  { kind, ms }: Pick<MachineTrouble, 'kind' | 'ms'>,
  { syncMs }: Pick<Plan, 'syncMs'>,
): () => void {
  const { files } = machine
  if (kind === 'clock-jump') {
    machine.skew(ms)
    return () => machine.skew(-ms)
  }
  if (kind === 'slow-disk') {
    files.syncMs = SLOW_SYNC_MS
    return () => {
      files.syncMs = syncMs
    }
  }
  const { free, total } = files.space('/')
  files.resize(total - free + LEFT_BYTES)
  // Another one may have begun before this one ends.
  return () => files.resize(WHOLE_BYTES)
}
