import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LocalCluster } from '@tandemmq/interop'
import { sendAndReceive } from './load.ts'
import { cpuSeconds, residentMb } from './process-usage.ts'

const IDLE_SECONDS = 30
const LOAD_MESSAGES = 5_000

interface Start {
  readonly readyMs: number
  readonly cpuSeconds: number
}

/** How fast a cluster comes up, and what it costs to have one: start, start again, idle, under load. */
export async function startup(): Promise<Record<string, unknown>> {
  const data = await mkdtemp(join(tmpdir(), 'tandemmq-bench-'))
  try {
    const cold = await timed(data)
    await cold.cluster.stop()
    const second = await timed(data)
    const { cluster } = second
    try {
      const pids = Object.fromEntries(
        Object.entries(cluster.ready.services).map(([name, service]) => [name, service.pid]),
      )
      const idleMb = mapValues(pids, residentMb)
      const idleCpuPercent = await idleCpu(Object.values(pids))
      await sendAndReceive(cluster.ready.grpc, LOAD_MESSAGES)
      return {
        coldStart: cold.start,
        secondStart: second.start,
        readyMsGoal: 1500,
        idleMb,
        idleTotalMb: total(idleMb),
        idleTotalMbGoal: 330,
        idleCpuPercentOfOneCore: idleCpuPercent,
        idleCpuPercentGoal: 1,
        loadMessages: LOAD_MESSAGES,
        underLoadMb: mapValues(pids, residentMb),
        apacheIdleMb: 1400,
        apacheIdleCpuPercent: 20,
        apacheStartToFirstSendMs: 19_000,
      }
    } finally {
      await cluster.stop()
    }
  } finally {
    await rm(data, { recursive: true, force: true })
  }
}

async function timed(data: string): Promise<{ readonly cluster: LocalCluster; readonly start: Start }> {
  const began = performance.now()
  const cluster = await LocalCluster.start([], data)
  const readyMs = Math.round(performance.now() - began)
  const pids = [cluster.launcherPid, ...Object.values(cluster.ready.services).map((service) => service.pid)]
  const cpu = pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0)
  return { cluster, start: { readyMs, cpuSeconds: Math.round(cpu * 100) / 100 } }
}

async function idleCpu(pids: readonly number[]): Promise<number> {
  const used = (): number => pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0)
  const before = used()
  await once(AbortSignal.timeout(IDLE_SECONDS * 1000), 'abort')
  return Math.round(((used() - before) / IDLE_SECONDS) * 10_000) / 100
}

function mapValues(
  pids: Readonly<Record<string, number>>,
  read: (pid: number) => number,
): Record<string, number> {
  return Object.fromEntries(Object.entries(pids).map(([name, pid]) => [name, read(pid)]))
}

function total(values: Readonly<Record<string, number>>): number {
  return Math.round(Object.values(values).reduce((sum, value) => sum + value, 0) * 10) / 10
}
