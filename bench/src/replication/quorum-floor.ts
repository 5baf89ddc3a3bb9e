import { once } from 'node:events'
import { closeSync, openSync, writeSync } from 'node:fs'
import { percentiles } from './send-many.ts'
import { floorPeer } from './floor-peer.ts'

/** About what a message with a body of 1 KB takes in the log. */
const RECORD_BYTES = 1_160

export interface QuorumFloor {
  readonly messagesPerSecond: number
  readonly p50Ms: number
}

/**
 * The least that a synchronous send can be: two processes that do nothing but this. Records of one turn are written to a file and to a socket, in one piece
 * each; the peer writes what one read gave it to a file of its own and says how far it has got, in 8 bytes; whoever that covers sends again in
 * the next turn.
 */
export async function quorumFloor(
  count: number,
  inFlight: number,
  files: { readonly own: string; readonly peer: string },
): Promise<QuorumFloor> {
  const { child, socket } = await floorPeer('acknowledge', files.peer)
  const own = openSync(files.own, 'w')
  const records = Buffer.alloc(RECORD_BYTES * inFlight, 'x')
  const took: number[] = []
  /** When each record that is not acknowledged was sent. */
  const sentAt: number[] = []
  let sent = 0
  let acknowledged = 0
  const send = (): void => {
    const room = Math.min(inFlight - (sent - acknowledged), count - sent)
    if (room === 0) return
    const piece = records.subarray(0, room * RECORD_BYTES)
    const now = performance.now()
    for (let record = 0; record < room; record += 1) sentAt.push(now)
    writeSync(own, piece, 0, piece.length, sent * RECORD_BYTES)
    sent += room
    socket.write(piece)
  }
  let rest = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk])
    const whole = rest.length - (rest.length % 8)
    if (whole === 0) return
    const covered = Math.floor(Number(rest.readBigInt64BE(whole - 8)) / RECORD_BYTES)
    rest = rest.subarray(whole)
    const now = performance.now()
    while (acknowledged < covered) took.push(now - (sentAt[acknowledged++] ?? 0))
    if (acknowledged === count) socket.emit('acknowledged')
    else setImmediate(send)
  })
  const began = performance.now()
  const done = once(socket, 'acknowledged')
  send()
  await done
  const seconds = (performance.now() - began) / 1_000
  socket.destroy()
  child.kill()
  closeSync(own)
  return { messagesPerSecond: count / seconds, p50Ms: percentiles(took).p50Ms }
}
