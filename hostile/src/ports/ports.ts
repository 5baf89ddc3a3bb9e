import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Matrix } from '../matrix.ts'
import { brokerHttpAttacks } from './broker-http-attacks.ts'
import { connectionAttacks } from './connection-attacks.ts'
import { grpcAttacks, grpcProtocol } from './grpc-attacks.ts'
import { haAttacks, haProtocol } from './ha-attacks.ts'
import { httpAttacks, httpProtocol } from './http-attacks.ts'
import type { PortAttack } from './port-attack.ts'
import { hostileMaster } from './hostile-master.ts'
import { noDescriptors } from './no-descriptors.ts'
import { PortStand, type PortKind } from './port-stand.ts'
import { unread } from './unread.ts'
import { wireNames } from './wire-names.ts'

const IDLE_MS = 5_000
const IDLE_SHARE_MAX = 0.1
const SLAVE_HTTP = /random bytes|2 GiB|of -1 bytes|chunk of|say nothing|no answer read/
const limits = { connections: 5_000, closedWithinMs: 60_000 }

/** Everything a peer can do to a port of the running services. */
export async function ports(matrix: Matrix): Promise<void> {
  await using stand = await PortStand.start()
  const grpc = [...grpcAttacks, ...connectionAttacks(grpcProtocol, limits)]
  const ha = [...haAttacks, ...connectionAttacks(haProtocol, limits)]
  const token = readFileSync(join(stand.cluster.data, 'conf/admin-token'), 'utf8').trim()
  const http = [...httpAttacks(token), ...connectionAttacks(httpProtocol, limits)]
  const brokerHttp = brokerHttpAttacks(token)
  // The same server as the master's: a few rows show that the same limits hold.
  const few = http.filter(({ attack }) => SLAVE_HTTP.test(attack))
  const rows: readonly (readonly [service: string, kind: PortKind, attacks: readonly PortAttack[]])[] = [
    ['metadata-rpc', 'grpc', grpc],
    ['broker-master', 'grpc', grpc],
    ['broker-slave', 'grpc', grpc],
    ['broker-master', 'ha', ha],
    ['metadata-rpc', 'http', http],
    ['broker-master', 'http', [...http, ...brokerHttp]],
    ['broker-slave', 'http', [...few, ...brokerHttp]],
  ]
  for (const [service, kind, attacks] of rows) {
    if (stand.address(service, kind) === undefined) continue
    for (const attack of attacks) {
      await matrix.row({ target: `${service} ${kind}`, ...attack }, () => stand.attack(service, kind, attack))
    }
  }
  await wireNames(matrix, stand)
  await hostileMaster(matrix, stand)
  await noDescriptors(matrix, stand)
  await unread(matrix, stand)
  await matrix.row({ target: 'cluster', attack: 'all of the above', expected: '0 lost' }, () =>
    stand.reckon(),
  )
  for (const service of ['metadata-rpc', 'broker-master', 'broker-slave']) {
    const expected = `at most ${IDLE_SHARE_MAX * 100} % of a core`
    await matrix.row({ target: service, attack: 'after all of the above', expected }, async () => {
      const share = await stand.idleShare(service, IDLE_MS)
      const seen = `${(share * 100).toFixed(1)} %`
      if (share > IDLE_SHARE_MAX) throw new Error(seen)
      return seen
    })
  }
}
