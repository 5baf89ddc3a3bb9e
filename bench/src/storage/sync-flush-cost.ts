import { writeSync, fdatasync, openSync, closeSync, ftruncateSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { AppendTurn } from '@tandemmq/messaging'
import { NodeFiles } from '@tandemmq/platform-node'
import type { MessageStore } from '@tandemmq/storage'
import { ApacheStore } from './apache-store.ts'
import { contestFigures } from './contest.ts'
import { CountingFiles } from './counting-files.ts'
import { rounded } from './measure.ts'
import { messagesOf } from './messages.ts'
import type { BenchPlan } from './plan.ts'
import { BenchDirectory, openMaster } from './store-stand.ts'

const BODY_BYTES = 1024
/** Messages of one round, by how many wait at a time. */
const COUNTS: Readonly<Record<number, number>> = { 1: 300, 64: 12_800, 512: 51_200 }
const PRE_ZERO_BYTES = 4 * 1024 * 1024
const SEGMENT_BYTES = 1024 * 1024 * 1024

/**
 * Senders that each wait for their message to be on stable storage before they send the next: so many at a time. Syncs are counted at the files of
 * the log. The floor writes as many messages in one piece and syncs once.
 */
export async function syncFlushCosts(plan: BenchPlan): Promise<Record<string, unknown>> {
  await using apacheDirectory = await BenchDirectory.make(plan.directory)
  await using apache = plan.apache ? await ApacheStore.start(apacheDirectory.path, 'SYNC_FLUSH') : undefined
  const figures: Record<string, unknown> = {}
  for (const [waiters, messages] of Object.entries(COUNTS)) {
    const waiting = Number(waiters)
    const count = plan.scaled(messages)
    await using directory = await BenchDirectory.make(plan.directory)
    const files = new CountingFiles(new NodeFiles(), '/commitlog/')
    await using store = await openMaster(directory.path, { preZeroBytes: PRE_ZERO_BYTES }, files)
    const { size: recordBytes } = store.append(messagesOf(BODY_BYTES)(0))
    let sent = 0
    let syncs = 0
    const contest = await contestFigures(plan.rounds, {
      count,
      ours: async () => {
        const before = files.syncs
        await send(store, count, waiting)
        syncs += files.syncs - before
        sent += count
      },
      floor: () => floor(directory.path, count, waiting, recordBytes),
      apache: apache && (() => apache.append(count, BODY_BYTES, waiting)),
    })
    figures[waiters] = { ...contest, messagesPerSync: rounded(sent / syncs) }
  }
  return figures
}

async function send(store: MessageStore, count: number, waiting: number): Promise<void> {
  const message = messagesOf(BODY_BYTES)
  const turn = new AppendTurn(store)
  let n = 0
  const sender = async (): Promise<void> => {
    while (n < count) await store.flush((await turn.append(message(n++))).end)
  }
  await Promise.all(Array.from({ length: waiting }, sender))
  await store.dispatched.reached(store.end)
}

async function floor(directory: string, count: number, waiting: number, recordBytes: number): Promise<void> {
  const descriptor = openSync(join(directory, 'floor'), 'w')
  ftruncateSync(descriptor, SEGMENT_BYTES)
  const piece = Buffer.alloc(waiting * recordBytes, 'x')
  for (let n = 0; n < count; n += waiting) {
    for (let at = 0; at < piece.length; at += recordBytes)
      piece.writeInt32BE(crc32(piece.subarray(at, at + BODY_BYTES)) | 0, at)
    writeSync(descriptor, piece, 0, piece.length, n * recordBytes)
    await new Promise<void>((resolve, reject) => {
      fdatasync(descriptor, (failure) => (failure === null ? resolve() : reject(failure)))
    })
  }
  closeSync(descriptor)
}
