import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'

/** What the other process of a floor does with what it is sent; see floor-child.ts. */
export type FloorTask = 'echo' | 'write' | 'acknowledge'

/** What a master's socket is made with. */
const HIGH_WATER_BYTES = 256 * 1024

/**
 * Starts it and lets it connect, as a slave does to its master.
 * @param bytes after how many `write` has got all
 */
export async function floorPeer(
  task: FloorTask,
  file = '',
  bytes = 0,
): Promise<{ readonly child: ChildProcess; readonly socket: Socket }> {
  const server = createServer({ noDelay: true, highWaterMark: HIGH_WATER_BYTES })
  server.listen({ port: 0, host: '127.0.0.1' })
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? `${address?.port}` : ''
  const child = fork(join(import.meta.dirname, 'floor-child.ts'), [task, port, file, `${bytes}`])
  const sockets: Socket[] = await once(server, 'connection')
  server.close()
  const [socket] = sockets
  if (socket === undefined) throw new Error('nobody has connected')
  return { child, socket }
}
