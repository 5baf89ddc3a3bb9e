import { readFileSync } from 'node:fs'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { LauncherChannel, parseProperties, PinoLogger } from '@tandemmq/platform-node'

/**
 * A service that does nothing but live as one: reads its file, listens, says that it is ready, stops on SIGTERM. For the
 * launcher's tests, which may name services that misbehave in environment variables:
 * `STAND_IN_FAILS` ends before it is ready, `STAND_IN_DEAF` does not hear SIGTERM.
 */
export function standIn(kind: string): void {
  const logger = new PinoLogger({ service: kind, format: 'json' })
  if (process.env['STAND_IN_FAILS'] === kind) {
    process.stderr.write('this data directory is from another cluster\n')
    process.exitCode = 3
    return
  }
  const path = process.argv[3] ?? ''
  const conf = new Map(
    parseProperties(readFileSync(path, 'utf8'), path).map(({ name, value }) => [name, value]),
  )
  void serve(kind, conf, logger)
}

async function serve(kind: string, conf: ReadonlyMap<string, string>, logger: PinoLogger): Promise<void> {
  const channel = LauncherChannel.fromEnvironment(process.env)
  const host = conf.get('listenAddress')
  const sockets = new Set<Socket>()
  const servers = await Promise.all(
    ['grpcPort', 'httpPort', 'haListenPort'].map(async (key) => {
      const server = createServer((socket) => sockets.add(socket))
      const port = conf.get(key)
      if (port !== undefined) await once(server.listen(Number(port), host), 'listening')
      return server
    }),
  )
  const stop = (why: string): void => {
    logger.info({ why }, 'stopping')
    for (const server of servers) server.close()
    setImmediate(() => sockets.forEach((socket) => socket.destroy()))
    process.exitCode = why === 'gone' ? 9 : 0
  }
  process.on('SIGTERM', () => {
    if (process.env['STAND_IN_DEAF'] !== kind) stop('SIGTERM')
  })
  channel?.onGone(() => stop('gone'))
  logger.info({ file: process.argv[3], settings: process.argv.slice(4).join(' ') }, 'started')
  const address = (key: string): string => `${host ?? ''}:${conf.get(key) ?? ''}`
  const master =
    kind === 'broker-master' ? { ha: address('haListenPort'), okMeans: 'nothing, in a test' } : {}
  channel?.ready({ service: kind, grpc: address('grpcPort'), http: address('httpPort'), ...master }, logger)
}
