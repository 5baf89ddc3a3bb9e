import { readFileSync } from 'node:fs'

/** Linux counts processor time in ticks of 10 ms. */
const TICKS_PER_SECOND = 100

/** Processor seconds (user and system) a process has used so far, its ended children included. Linux only. */
export function cpuSeconds(pid: number): number {
  // The name in parentheses may contain spaces: count fields from behind it.
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const ticks = [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index] ?? 0), 0)
  return ticks / TICKS_PER_SECOND
}

/** Resident memory of a process now, MB. */
export function residentMb(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Math.round(Number(kilobytes ?? 0) / 102.4) / 10
}
