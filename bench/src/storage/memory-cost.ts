import { execFile } from 'node:child_process'
import { statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { BenchPlan } from './plan.ts'
import { BenchDirectory } from './store-stand.ts'

const GIB = 1024 ** 3
/** What a log needs on disk in all, with its consume queues and index. */
const DISK_FACTOR = 1.3

interface Resident {
  readonly endMb: number
  readonly peakMb: number
}

/** Memory of a process that has written a log of 1 KB messages and follows it, and of one that has opened that log. */
export async function memoryCosts(plan: BenchPlan): Promise<Record<string, unknown>> {
  const { bavail, bsize } = await statfs(plan.directory)
  const logGib = Math.min(plan.logGib, Math.floor((bavail * bsize) / GIB / DISK_FACTOR / 2))
  await using directory = await BenchDirectory.make(plan.directory)
  const written = await resident(directory.path, 'write', logGib * GIB)
  const opened = await resident(directory.path, 'open', 0)
  return {
    logGib,
    residentMb: written.endMb,
    residentPeakMb: written.peakMb,
    residentAfterStartMb: opened.endMb,
  }
}

async function resident(root: string, what: string, bytes: number): Promise<Resident> {
  const program = join(import.meta.dirname, 'memory-child.ts')
  const flags = ['--max-semi-space-size=8', '--conditions=@tandemmq/source']
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, program, root, what, `${bytes}`])
  const figures: Resident = JSON.parse(stdout)
  return figures
}
