import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { freshDirectory, LoneService } from '@tandemmq/interop'
import { rm } from 'node:fs/promises'
import type { Matrix } from '../matrix.ts'
import { haProtocol } from './ha-attacks.ts'
import type { PortStand } from './port-stand.ts'
import { Victim } from './victim.ts'

const FOR_MS = 4_000
const GROWTH_MAX_MB = 48
const LINES_MAX = 20
/** It tries again after 0.1 s at the least. */
const ATTEMPTS_MAX = FOR_MS / 100 + 10

/** What a master's HA port may do to a slave that connects to it. */
const manners: Readonly<Record<string, (socket: Socket) => void>> = {
  'says random bytes': (socket) => socket.end(randomBytes(64 * 1024)),
  'says nothing': () => undefined,
  'closes at once': (socket) => socket.destroy(),
  'says a valid beginning, then garbage': (socket) => {
    socket.end(Buffer.concat([haProtocol.opening, randomBytes(4_096)]))
  },
  'announces 2 GiB': (socket) => {
    socket.end(Buffer.from('c7027fffffff0000c700000000000000', 'hex'))
  },
  'orders before it has said who it is': (socket) => {
    socket.end(Buffer.from('c704000000000000', 'hex'))
  },
  'sends without end': (socket) => {
    const more = (): void => {
      while (!socket.destroyed && socket.write(Buffer.alloc(64 * 1024, 0xc7)));
    }
    socket.on('drain', more)
    more()
  },
  'says one byte a second': (socket) => {
    const timer = setInterval(() => socket.write(Buffer.from([0xc7])), 1_000)
    socket.once('close', () => clearInterval(timer))
  },
  'repeats what it hears': (socket) => socket.pipe(socket),
}

/** A slave whose master is not one. */
export async function hostileMaster(matrix: Matrix, stand: PortStand): Promise<void> {
  for (const [attack, manner] of Object.entries(manners)) {
    await matrix.row(
      {
        target: 'HA client of a slave',
        attack: `a master that ${attack}`,
        expected: `at most ${LINES_MAX} lines, tried again at a bounded pace, memory bounded, stops when asked to`,
      },
      () => followed(stand, manner),
    )
  }
}

async function followed(stand: PortStand, manner: (socket: Socket) => void): Promise<string> {
  const directory = await freshDirectory()
  let attempts = 0
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    attempts += 1
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.resume()
    manner(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const bound = server.address()
  const master = `127.0.0.1:${typeof bound === 'object' && bound !== null ? bound.port : 0}`
  try {
    await using slave = LoneService.start(
      'broker-slave',
      '-c',
      stand.cluster.ready.services['broker-slave']?.config ?? '',
      `storePathRootDir=${directory}`,
      'grpcPort=0',
      'httpPort=0',
      'brokerId=7',
      'namesrvAddr=',
      `haMasterAddress=${master}`,
      `masterGrpcAddress=${master}`,
    )
    await slave.lines.line(['broker is up'])
    const victim = new Victim(slave.pid)
    victim.forgetPeak()
    const before = victim.residentMB
    const cpu = victim.cpuSeconds
    await pause(FOR_MS)
    const peak = victim.peakMB
    const cpuSeconds = victim.cpuSeconds - cpu
    const facts = `peak ${before} → ${peak} MB, ${attempts} connections and ${cpuSeconds.toFixed(1)} s of processor in ${FOR_MS / 1_000} s, ${slave.lines.all.length} log lines`
    if (peak - before > GROWTH_MAX_MB || slave.lines.all.length > LINES_MAX) throw new Error(facts)
    if (attempts === 0 || attempts > ATTEMPTS_MAX) throw new Error(facts)
    if ((await slave.stop()) !== 0) throw new Error(`it did not stop cleanly; ${facts}`)
    return facts
  } finally {
    for (const socket of sockets) socket.destroy()
    server.close()
    await rm(directory, { recursive: true, force: true })
  }
}
