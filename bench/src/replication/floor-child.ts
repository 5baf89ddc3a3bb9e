import { closeSync, openSync, writeSync } from 'node:fs'
import { connect, type Socket } from 'node:net'

/**
 * The other end of a floor: floor-child.ts echo|write|acknowledge PORT FILE BYTES. Connects, and reads as a slave does, into the same memory again and again.
 * `write` answers with a byte when BYTES have come and are written, `acknowledge` after each write with how much that makes; without a file it writes
 * nothing.
 */
const [, , what = 'echo', port = '', file = '', all = ''] = process.argv
const READ_BYTES = 256 * 1024
const take = { echo, write, acknowledge }[what] ?? echo
const target = file === '' ? undefined : openSync(file, 'w')
let at = 0
const socket = connect({
  port: Number(port),
  host: '127.0.0.1',
  noDelay: true,
  onread: {
    buffer: Buffer.allocUnsafeSlow(READ_BYTES),
    callback: (bytes, buffer) => {
      take(socket, buffer.subarray(0, bytes))
      return true
    },
  },
})

function echo(to: Socket, chunk: Uint8Array): void {
  to.write(Uint8Array.from(chunk))
}

function write(to: Socket, chunk: Uint8Array): void {
  keep(chunk)
  if (at < Number(all)) return
  if (target !== undefined) closeSync(target)
  to.end('.')
}

function acknowledge(to: Socket, chunk: Uint8Array): void {
  keep(chunk)
  const report = Buffer.allocUnsafe(8)
  report.writeBigInt64BE(BigInt(at))
  to.write(report)
}

function keep(chunk: Uint8Array): void {
  if (target !== undefined) writeSync(target, chunk, 0, chunk.length, at)
  at += chunk.length
}
