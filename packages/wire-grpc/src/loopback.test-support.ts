import { createHash } from 'node:crypto'
import type { ServiceDefinition } from '@grpc/grpc-js'
import { silentLogger, type Clock, type Random } from '@tandemmq/base'
import { SetSecret, SetSecretGuard } from './set-secret.ts'
import { GrpcServer, type GrpcServerOptions } from './server.ts'

/** The machine's own clock: these tests go over real sockets. */
export const realClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (delayMs, task) => {
    const timer = setTimeout(task, delayMs)
    timer.unref()
    return { cancel: () => clearTimeout(timer) }
  },
}

/** Of a message that stays bytes. */
export const asIs = (bytes: Buffer): Buffer => bytes

/** A service whose calls are answered as the test wants it, in bytes that nobody decodes. */
export const echo: ServiceDefinition = {
  Echo: {
    path: '/test.Echo/Echo',
    requestStream: false,
    responseStream: false,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  },
}

let counter = 0
/** Never repeats. */
export const countingRandom: Random = {
  bytes: (count) => createHash('sha512').update(`${counter++}`).digest().subarray(0, count),
  below: () => 0,
}

export const key = Buffer.from('the secret of the set')

export function secretOf(identity: string, secret: Buffer | undefined = key): SetSecret {
  return new SetSecret(secret, identity, { clock: realClock, random: countingRandom })
}

export function guardOf(secret: Buffer | undefined = key): SetSecretGuard {
  return new SetSecretGuard(secret, { clock: realClock })
}

/** A server on a free port of the loopback, and its `host:port`. */
export async function serve(
  add: (server: GrpcServer) => void,
  options: Partial<GrpcServerOptions> = {},
): Promise<{ readonly server: GrpcServer; readonly address: string }> {
  const server = new GrpcServer({ clock: realClock, logger: silentLogger }, options)
  add(server)
  const { host, port } = await server.listen({ host: '127.0.0.1', port: 0 })
  return { server, address: `${host}:${port}` }
}

/** Resolves in the first turn in which `condition` holds; the test's own time limit is its limit. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}
