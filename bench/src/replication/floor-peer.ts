import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'

/** What the other process of a floor does with what it is sent; see floor-child.ts. */
export type FloorTask = 'echo' | 'write' | 'acknowledge'

/** Starts it and connects to it. */
export async function floorPeer(
  task: FloorTask,
  file = '',
): Promise<{ readonly child: ChildProcess; readonly socket: Socket }> {
  const child = fork(join(import.meta.dirname, 'floor-child.ts'), [task, file])
  const words: { readonly port: number }[] = await once(child, 'message')
  const socket = connect({
    port: words[0]?.port ?? 0,
    host: '127.0.0.1',
    noDelay: true,
    allowHalfOpen: true,
  })
  await once(socket, 'connect')
  return { child, socket }
}
