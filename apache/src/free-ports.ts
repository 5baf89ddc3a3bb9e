import { once } from 'node:events'
import { createServer, type Server } from 'node:net'

/** A port of a broker, with the second one that Apache opens two below it. */
export async function brokerPort(): Promise<number> {
  for (;;) {
    const port = await freePort()
    if (await isFree(port - 2)) return port
  }
}

export async function freePort(): Promise<number> {
  const server = await listening(0)
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  await closed(server)
  return port
}

async function isFree(port: number): Promise<boolean> {
  try {
    await closed(await listening(port))
    return true
  } catch {
    return false
  }
}

async function listening(port: number): Promise<Server> {
  const server = createServer().listen(port, '127.0.0.1')
  await once(server, 'listening')
  return server
}

async function closed(server: Server): Promise<void> {
  server.close()
  await once(server, 'close')
}
