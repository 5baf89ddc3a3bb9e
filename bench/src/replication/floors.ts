import { once } from 'node:events'
import { closeSync, openSync, readSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { floorPeer } from './floor-peer.ts'
import { percentiles } from './send-many.ts'

const PIECE_BYTES = 1024 * 1024
/** Read ahead while one is on its way. */
const PIECES = 2
const ECHO_BYTES = 1_100

/**
 * Copies `bytes` of the files in a commit log over loopback into one file, as plainly and as well as Node can: large pieces, the same memory for each, no
 * frames, nothing looked at. MiB/s.
 */
export async function copyFloor(log: string, bytes: number, target: string): Promise<number> {
  const { child, socket } = await floorPeer('write', target, bytes)
  const done = once(socket, 'data')
  const free = Array.from({ length: PIECES }, () => Buffer.allocUnsafeSlow(PIECE_BYTES))
  const began = performance.now()
  let left = bytes
  for (const name of readdirSync(log).toSorted()) {
    const file = openSync(join(log, name), 'r')
    for (let at = 0; left > 0;) {
      const piece = free.pop()
      if (piece === undefined) {
        await once(socket, 'taken')
        continue
      }
      const read = readSync(file, piece, 0, Math.min(piece.length, left), at)
      if (read === 0) {
        free.push(piece)
        break
      }
      at += read
      left -= read
      socket.write(piece.subarray(0, read), () => {
        free.push(piece)
        socket.emit('taken')
      })
    }
    closeSync(file)
  }
  await done
  const seconds = (performance.now() - began) / 1_000
  socket.destroy()
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
