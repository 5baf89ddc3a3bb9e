import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Matrix } from '../matrix.ts'
import { brokerHttpAttacks } from './broker-http-attacks.ts'
import { connectionAttacks } from './connection-attacks.ts'
import { grpcAttacks, grpcProtocol } from './grpc-attacks.ts'
import { haAttacks, haProtocol } from './ha-attacks.ts'
import { httpAttacks, httpProtocol } from './http-attacks.ts'
import type { PortAttack } from './port-attack.ts'
import { PortStand, type PortKind } from './port-stand.ts'
import { wireNames } from './wire-names.ts'

/** The quick rows of the matrix, on one cluster, at one time. `npm run hostile` runs all of them, one after the other. */
let stand: PortStand

beforeAll(async () => {
  stand = await PortStand.start()
})

afterAll(async () => {
  await stand?.[Symbol.asyncDispose]()
})

const QUICK =
  /random|valid beginning|CONTINUATION|streams|zeros|protobuf|names|2 GiB|hello of|words|HTTP\/1|path|JSON|nesting|2\^53|no answer/

function quick(
  attacks: readonly PortAttack[],
  protocol: Parameters<typeof connectionAttacks>[0],
): PortAttack[] {
  const all = [...attacks, ...connectionAttacks(protocol, { connections: 1_000, closedWithinMs: 30_000 })]
  return all.filter(({ attack }) => QUICK.test(attack) && !/2,000|clients with names/.test(attack))
}

// One attack at a time on each process, whose memory is measured meanwhile.
test.concurrent.each<readonly [service: string, kinds: readonly PortKind[]]>([
  ['metadata-rpc', ['grpc', 'http']],
  ['broker-slave', ['grpc']],
  ['broker-master', ['ha']],
])('%s: attacks are bounded, and an honest client goes on', async (service, kinds) => {
  const token = readFileSync(join(stand.cluster.data, 'conf/admin-token'), 'utf8').trim()
  const attacksOn = {
    grpc: () => quick(grpcAttacks, grpcProtocol),
    ha: () => quick(haAttacks, haProtocol),
    http: () => quick(httpAttacks(token), httpProtocol),
  }
  for (const kind of kinds) {
    const attacks = attacksOn[kind]()
    expect(attacks.length).toBeGreaterThan(5)
    for (const attack of attacks) await stand.attack(service, kind, attack)
  }
})

test('what JSON can hide is refused by the HTTP ports of the brokers', async () => {
  const token = readFileSync(join(stand.cluster.data, 'conf/admin-token'), 'utf8').trim()
  for (const service of ['broker-master', 'broker-slave']) {
    for (const attack of brokerHttpAttacks(token)) await stand.attack(service, 'http', attack)
  }
})

test('hostile names are refused at every entry', async () => {
  const lines: string[] = []
  const matrix = new Matrix((line) => lines.push(line))
  await wireNames(matrix, stand)
  expect(lines.filter((line) => line.includes('FAILED'))).toEqual([])
  expect(matrix.passed).toBe(3)
})

test('nothing was lost meanwhile', async () => {
  expect(await stand.reckon()).toMatch(/ 0 lost/)
})
