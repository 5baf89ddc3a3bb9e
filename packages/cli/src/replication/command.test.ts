import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FollowingDescription, ReplicaView, ReplicationMember, ReplicationView } from '@tandemmq/http'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createProgram } from '../program.ts'
import { temporaryDirectory } from '../up/launched.test-kit.ts'
import { statusText } from './status-text.ts'

const TOKEN = 'a token of the cluster'

const member: ReplicationMember = {
  set: 'broker-a',
  identity: 'broker-a-0',
  role: 'master',
  alive: true,
  end: 90_000,
  flushed: 80_000,
  confirmed: 70_000,
  dispatched: 90_000,
  replicas: [],
  problems: [],
}
const replica: ReplicaView = {
  identity: 'broker-a-1',
  address: '10.0.0.1:4242',
  state: 'behind',
  sent: 60_000,
  received: 50_000,
  flushed: 40_000,
  dispatched: 30_000,
  lagBytes: 40_000,
  lagMs: 1_500,
  heardAgoMs: 10,
  connects: 3,
  refusals: { silence: 2 },
  ackLatency: { count: 9, p50Ms: 0.5, p99Ms: 25, maxMs: 25 },
  verification: {
    verifiedTo: 45_000,
    comparedBytes: 45_000,
    skippedBytes: 0,
    mismatches: [{ from: 64, to: 128 }],
    found: 1,
  },
  problem: 'no space left',
}
const following: FollowingDescription = {
  master: 'broker-a-0',
  address: '10.0.0.0:10912',
  state: 'disconnected',
  reported: -1,
  masterEnd: 90_000,
  lagBytes: 40_000,
  lagMs: 1_400,
  heardAgoMs: -1,
  dials: 4,
  connects: 3,
  troubles: { closed: 3 },
  mismatches: [{ from: 64, to: 128 }],
  problem: 'the master does not answer',
}
const slave: ReplicationMember = {
  ...member,
  identity: 'broker-a-1',
  role: 'slave',
  end: 50_000,
  following,
}
const view: ReplicationView = { members: [{ ...member, replicas: [replica] }, slave] }

let directory: ReturnType<typeof temporaryDirectory>
let server: Server
let answer: unknown = view
let said = { out: '', err: '' }

beforeEach(async () => {
  directory = temporaryDirectory()
  mkdirSync(join(directory.path, 'conf'))
  server = createServer((request, response) => {
    const isKnown = request.headers.authorization === `Bearer ${TOKEN}`
    const body = request.method === 'POST' ? { from: 90_000, to: 90_000 } : answer
    response.writeHead(isKnown ? 200 : 401).end(isKnown ? JSON.stringify(body) : '')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  writeFileSync(join(directory.path, 'conf', 'admin-token'), `${TOKEN}\n`)
  writeFileSync(
    join(directory.path, 'conf', 'metadata-rpc.conf'),
    `listenAddress=127.0.0.1\nhttpPort=${port}\n`,
  )
  said = { out: '', err: '' }
  answer = view
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((said.out += String(text)), true))
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((said.err += String(text)), true))
})

afterEach(() => {
  vi.restoreAllMocks()
  server.closeAllConnections()
  server.close()
  process.exitCode = 0
  directory[Symbol.dispose]()
})

async function tandemmq(...words: readonly string[]): Promise<unknown> {
  process.exitCode = 0
  await createProgram().parseAsync(['node', 'tandemmq', 'replication', ...words])
  return process.exitCode
}

test('status finds the cluster by its directory, for people and for programs', async () => {
  expect(await tandemmq('status', '--data', directory.path)).toBe(0)
  expect(said.out.trimEnd().split('\n')).toEqual(statusText(view))
  said.out = ''
  expect(await tandemmq('status', '--data', directory.path, '--json')).toBe(0)
  expect(JSON.parse(said.out)).toEqual(view)
  expect(said.err).toBe('')
})

test('the table names what matters of each slave, and each slave says what it knows itself', () => {
  const lines = statusText(view)
  expect(lines[0]).toBe(
    'broker-a: master broker-a-0, log ends at 90000, flushed 80000, confirmed 70000, dispatched 90000',
  )
  expect(lines[2]).toMatch(
    /broker-a-1 +behind +10\.0\.0\.1:4242 +39 KiB +1\.5 s +60000 +50000 +40000 +30000 +0\.50 ms +25 ms +2 +2$/,
  )
  const text = lines.join('\n')
  expect(text).toContain('broker-a-1: no space left')
  expect(text).toContain('broker-a-1: compared in the background up to 45000, DIFFERS in [64, 128)')
  expect(text).toContain('its master found it to DIFFER in [64, 128)')
  expect(text).toContain('ended or refused for silence (2)')
  expect(text).toContain(
    'disconnected from broker-a-0 at 10.0.0.0:10912: 39 KiB and 1.4 s behind its end at 90000',
  )
  expect(text).toContain('not following: the master does not answer')
  expect(statusText({ members: [{ ...member, alive: false }] }).join('\n')).toContain(
    'not heard for a second',
  )
  expect(statusText({ members: [] })).toEqual(['no broker has registered'])
})

test('what was compared by command is named beside what the background has come to', () => {
  const run = { from: 10, to: 90, next: 50, isDone: false }
  const lineWith = (isDone: boolean): string =>
    statusText({
      members: [
        {
          ...member,
          replicas: [{ ...replica, verification: { ...replica.verification, run: { ...run, isDone } } }],
        },
      ],
    }).join()
  expect(lineWith(false)).toContain('up to 45000, by command from 10 to 90 (now at 50), DIFFERS')
  expect(lineWith(true)).toContain('up to 45000, by command from 10 to 90, DIFFERS')
})

test('why a slave does not follow is said once, slaves come in the order of their names, and what was not compared is not called equal', () => {
  const fresh = { ...replica.verification, verifiedTo: 0, mismatches: [] }
  const replicas = ['broker-a-10', 'broker-a-2'].map((identity) => ({
    ...replica,
    identity,
    verification: fresh,
  }))
  const away = { ...slave, problems: [following.problem, 'disk broken'] }
  const lines = statusText({ members: [{ ...member, replicas }, away] })
  expect(lines.filter((line) => line.includes(following.problem))).toHaveLength(1)
  expect(lines).toContain('  ! disk broken')
  expect(lines.slice(2, 4).map((line) => line.trim().split(' ')[0])).toEqual(['broker-a-2', 'broker-a-10'])
  expect(lines).toContain('  broker-a-2: not compared yet')
})

test('a set whose master does not answer is not passed over by verify', async () => {
  answer = { members: [{ ...member, replicas: [] }] }
  const conf = (name: string, lines: string): void =>
    writeFileSync(join(directory.path, 'conf', `${name}.conf`), lines)
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  conf('broker-master', `listenAddress=127.0.0.1\nhttpPort=${port}\nbrokerName=broker-a\n`)
  conf('broker-b-master', 'listenAddress=127.0.0.1\nhttpPort=9\nbrokerName=broker-b\n')
  expect(await tandemmq('verify', '--data', directory.path)).toBe(1)
  expect(said.out).toContain('broker-b: no master answers, nothing was compared\n')
  said.out = ''
  expect(await tandemmq('verify', '--data', directory.path, '--json')).toBe(1)
  expect(JSON.parse(said.out)).toMatchObject({ slaves: [], unanswered: ['broker-b'] })
})

test('of a range that holds nothing it is not said that it is equal', async () => {
  answer = { members: [{ ...member, replicas: [replica] }] }
  expect(await tandemmq('verify', '--data', directory.path, '--from', '95000')).toBe(1)
  expect(said.err).toBe(
    'nothing to compare: from 95000 on the log of the master holds no byte that is confirmed\n',
  )
  expect(said.out).toBe('')
})

test('whoever reads may have seen enough: that is no failure, and no stack is shown', async () => {
  const main = join(import.meta.dirname, '..', 'main.ts')
  const child = spawn(process.execPath, ['--conditions=@tandemmq/source', main, '--help'])
  child.stdout.destroy()
  let words = ''
  child.stderr.on('data', (chunk) => (words += String(chunk)))
  const [code] = await once(child, 'close')
  expect([code, words]).toEqual([0, ''])
})

test('a slave of the roster that has never come has no figures that would look like good ones', () => {
  const absent = { ...replica, state: 'not seen', connects: 0, lagBytes: 0, address: '', refusals: {} }
  const row = statusText({ members: [{ ...member, replicas: [absent] }] })[2] ?? ''
  expect(row).toContain('not seen')
  expect(row).not.toContain('0 B')
})

test('what goes wrong is said in words, with exit code 1', async () => {
  const wrong = join(directory.path, 'wrong-token')
  writeFileSync(wrong, 'the token of another cluster')
  const data = ['--data', directory.path]
  for (const [words, sentence] of [
    [['--data', join(directory.path, 'none')], 'no cluster was started in'],
    [[...data, '--url', 'nonsense'], 'is no address of a service'],
    [[...data, '--token-file', join(directory.path, 'gone')], 'there is no admin token at'],
    [[...data, '--token-file', wrong], 'does not accept this admin token'],
    [[...data, '--url', 'http://127.0.0.1:9'], 'nobody answers at'],
  ] as const) {
    said.err = ''
    expect(await tandemmq('status', ...words), sentence).toBe(1)
    expect(said.err).toContain(sentence)
  }
  expect(said.out).toBe('')
  await expect(tandemmq('status', '--wrong')).rejects.toMatchObject({ code: 'commander.unknownOption' })
})
