import { once } from 'node:events'
import { closeSync, openSync, readSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { floorPeer } from './floor-peer.ts'
import { percentiles } from './send-many.ts'

const CHUNK_BYTES = 1024 * 1024
const ECHO_BYTES = 1_100

/** Copies `bytes` of the files in a commit log over loopback into one file, as plainly as can be: read, send, write. MiB/s. */
export async function copyFloor(log: string, bytes: number, target: string): Promise<number> {
  const { child, socket } = await floorPeer('write', target)
  const began = performance.now()
  let left = bytes
  for (const name of readdirSync(log).toSorted()) {
    const file = openSync(join(log, name), 'r')
    for (let at = 0; left > 0;) {
      const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, left))
      const read = readSync(file, chunk, 0, chunk.length, at)
      if (read === 0) break
      at += read
      left -= read
      if (!socket.write(chunk.subarray(0, read))) await once(socket, 'drain')
    }
    closeSync(file)
  }
  socket.end()
  await once(socket, 'data')
  const seconds = (performance.now() - began) / 1_000
  child.kill()
  return bytes / 1024 ** 2 / seconds
}

/** Sends so many records of about 1 KB at this pace and waits for each to come back. */
export async function echoFloor(
  count: number,
  perSecond: number,
): Promise<{ readonly p50Ms: number; readonly p99Ms: number }> {
  const { child, socket } = await floorPeer('echo')
  const record = Buffer.alloc(ECHO_BYTES, 'x')
  const sentAt: number[] = []
  const took: number[] = []
  let come = 0
  socket.on('data', (chunk: Buffer) => {
    come += chunk.length
    while (took.length < Math.floor(come / ECHO_BYTES))
      took.push(performance.now() - (sentAt[took.length] ?? 0))
  })
  const began = performance.now()
  while (took.length < count) {
    const due = Math.min(count, Math.ceil(((performance.now() - began) * perSecond) / 1_000))
    while (sentAt.length < due) {
      sentAt.push(performance.now())
      socket.write(record)
    }
    await delay(2)
  }
  socket.destroy()
  child.kill()
  return percentiles(took)
}
