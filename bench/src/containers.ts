import { setTimeout } from 'node:timers/promises'
import { Clients } from '@tandemmq/interop'
import type { Producer } from 'rocketmq-client-nodejs'
import { addedMb, ComposeProject, SERVICES } from './compose-project.ts'
import { PacedConsumer } from './paced-consumer.ts'

const STARTS = 5
const LOSSES = 3
const IDLE_SECONDS = 20
/** Messages that wait for the consumer when the master goes. */
const BACKLOG = 2_000
const BEFORE_MS = 1_000
const AFTER_KILL_MS = 2_000
const AFTER_SILENCE_MS = 6_000

/** What a loss of the master was for a consumer on the host, through the published port. */
interface Loss {
  readonly pauseMs: number
  readonly receiveErrors: number
}

/** The images of docker/ and the cluster of docker-compose.yml, as `npm run images` left them. */
export async function containers(): Promise<Record<string, unknown>> {
  const imageMb: Record<string, number> = {}
  for (const service of SERVICES) imageMb[service] = await addedMb(service)

  await using project = await ComposeProject.prepare()
  const readyMs: number[] = []
  const downMs: number[] = []
  for (let i = 0; i < STARTS; i += 1) {
    if (i > 0) downMs.push(await project.down())
    readyMs.push(await project.up())
    process.stderr.write(`containers: up in ${readyMs.at(-1)} ms\n`)
  }
  const idleCpuPercent = await idleCpu(project)
  const kills = await losses(project, AFTER_KILL_MS, async () => {
    await project.kill('broker-master')
  })
  const stops = await losses(project, AFTER_KILL_MS, async () => {
    await project.stop('broker-master')
  })
  const silences = await losses(project, AFTER_SILENCE_MS, async () => {
    await project.pause('broker-master')
  })
  return {
    imageAddedMb: imageMb,
    imageAddedMbGoal: 60,
    composeUpReadyMs: spread(readyMs),
    composeUpReadyMsGoal: 5_000,
    composeDownMs: spread(downMs),
    idleCpuPercentOfOneCore: idleCpuPercent,
    killedMasterPauseMs: spread(kills.map(({ pauseMs }) => pauseMs)),
    killedMasterPauseMsGoal: 300,
    killedMasterReceiveErrors: sum(kills),
    stoppedMasterPauseMs: spread(stops.map(({ pauseMs }) => pauseMs)),
    stoppedMasterReceiveErrors: sum(stops),
    silentMasterPauseMs: spread(silences.map(({ pauseMs }) => pauseMs)),
    silentMasterPauseMsGoal: 4_000,
    silentMasterReceiveErrors: sum(silences),
    receiveErrorsGoal: 0,
  }
}

/** Loses the master under a consumer again and again; each time it comes back and is waited for. */
async function losses(
  project: ComposeProject,
  watchMs: number,
  lose: () => Promise<void>,
): Promise<readonly Loss[]> {
  const seen: Loss[] = []
  for (let i = 0; i < LOSSES; i += 1) {
    const one = await loss(project, watchMs, lose)
    process.stderr.write(`containers: the consumer paused ${one.pauseMs} ms\n`)
    seen.push(one)
    await project.recover()
  }
  return seen
}

async function loss(project: ComposeProject, watchMs: number, lose: () => Promise<void>): Promise<Loss> {
  const topic = `Loss${performance.now().toFixed(0)}`
  await using clients = new Clients(project)
  await fill(await clients.producer(topic, 3), topic)
  const consumer = new PacedConsumer(await clients.simple(`${topic}-group`, topic))
  await setTimeout(BEFORE_MS)
  const since = performance.now()
  await lose()
  await setTimeout(watchMs)
  const pauseMs = consumer.longestPauseMs(since)
  const { receiveErrors } = consumer
  await consumer.stop()
  return { pauseMs, receiveErrors }
}

/** Whatever is refused, on a machine that is busy for instance, is sent again. */
async function fill(producer: Producer, topic: string): Promise<void> {
  for (let accepted = 0; accepted < BACKLOG;) {
    const batch = Array.from({ length: 50 }, (_none, index) =>
      producer.send({ topic, body: Buffer.from(String(accepted + index)) }),
    )
    const answers = await Promise.allSettled(batch)
    accepted += answers.filter(({ status }) => status === 'fulfilled').length
  }
}

async function idleCpu(project: ComposeProject): Promise<number> {
  const before = await project.cpuMs()
  await setTimeout(IDLE_SECONDS * 1_000)
  const used = (await project.cpuMs()) - before
  return Math.round((used / IDLE_SECONDS / 10) * 10) / 10
}

function spread(values: readonly number[]): Record<string, number> {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (index: number): number => sorted[index] ?? Number.NaN
  return { min: at(0), median: at(Math.floor(sorted.length / 2)), max: at(sorted.length - 1) }
}

function sum(seen: readonly Loss[]): number {
  return seen.reduce((total, { receiveErrors }) => total + receiveErrors, 0)
}
