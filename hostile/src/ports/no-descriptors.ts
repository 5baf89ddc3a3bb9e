import { execFileSync } from 'node:child_process'
import type { Matrix } from '../matrix.ts'
import { opening } from './http2-wire.ts'
import type { PortKind, PortStand } from './port-stand.ts'
import { RawPeer } from './raw-peer.ts'
import { Victim } from './victim.ts'

const CONNECTIONS = 300
const LEFT = 12
/** What the system library keeps, and what closes meanwhile. */
const SPARE = 4

const OUT = 'no file descriptor is left'
const OVER = 'there are file descriptors again'

/** Ports whose process has no file descriptor left. */
export async function noDescriptors(matrix: Matrix, stand: PortStand): Promise<void> {
  const ports: readonly (readonly [service: string, kind: PortKind])[] = [
    ['metadata-rpc', 'grpc'],
    ['broker-master', 'grpc'],
    ['broker-master', 'ha'],
    ['metadata-rpc', 'http'],
  ]
  for (const [service, kind] of ports) {
    await matrix.row(
      {
        target: `${service} ${kind}`,
        attack: `${CONNECTIONS} connections with ${LEFT} file descriptors left`,
        expected: 'refused and told, the old ones go on, all is well when they are gone, and that is told',
      },
      () => stand.measured(service, { tells: OVER }, () => exhaust(stand, service, kind)),
    )
  }
}

async function exhaust(stand: PortStand, service: string, kind: PortKind): Promise<string> {
  const victim = new Victim(stand.cluster.pid(service))
  const address = stand.address(service, kind) ?? ''
  const limit = victim.descriptors + LEFT
  const before = limitsOf(victim.pid)
  limitTo(victim.pid, `${limit}:${before}`)
  const from = stand.cluster.log.length
  let peers: RawPeer[] = []
  let refused = 0
  try {
    peers = await RawPeer.open(address, CONNECTIONS)
    if (kind === 'grpc') await Promise.all(peers.map((peer) => peer.say(opening)))
    await stand.honestGoesOn()
    await stand.cluster.lines.line([service, OUT], from)
    refused = peers.filter(({ isClosed }) => isClosed).length
  } finally {
    for (const peer of peers) peer[Symbol.dispose]()
    await Promise.all(peers.map(({ closed }) => closed))
    limitTo(victim.pid, `${before}:${before}`)
  }
  if (refused < CONNECTIONS - LEFT - SPARE) throw new Error(`only ${refused} were refused`)
  using again = new RawPeer(address)
  await again.connected()
  if (again.isClosed) throw new Error('a new connection is still refused')
  return `${refused} refused`
}

function limitTo(pid: number, limit: string): void {
  execFileSync('prlimit', [`--nofile=${limit}`, '--pid', String(pid)])
}

function limitsOf(pid: number): string {
  const options = ['--nofile', '--noheadings', '--output=HARD', '--pid', String(pid)]
  return execFileSync('prlimit', options, { encoding: 'utf8' }).trim()
}
