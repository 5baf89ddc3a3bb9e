import type { ClusterDescription, MemberState } from '@tandemmq/http'
import { expect, test } from 'vitest'
import { diagnosisOf, diagnosisText } from './diagnosis.ts'

const master: MemberState = {
  identity: 'broker-a-0',
  role: 'master',
  alive: true,
  writable: true,
  grpcAddress: '10.0.0.1:8081',
  end: 90_000,
  flushed: 90_000,
  confirmed: 90_000,
  dispatched: 90_000,
  lagBytes: 0,
  problems: [],
}
const slave: MemberState = { ...master, identity: 'broker-a-1', role: 'slave', writable: false }

function clusterOf(
  members: readonly MemberState[],
  problems: ClusterDescription['problems'] = [],
): ClusterDescription {
  const serving = { identity: 'broker-a-0', epoch: 7 }
  return {
    sets: [{ name: 'broker-a', writable: 'broker-a-0', serving, okMeans: 'it is stored.', members }],
    problems,
  }
}

function linesOf(cluster: ClusterDescription): readonly string[] {
  return diagnosisText(cluster, diagnosisOf(cluster))
}

test('of a cluster that works it says who does what', () => {
  expect(linesOf(clusterOf([master, slave]))).toEqual([
    'broker-a: messages go to broker-a-0, consumers are served by broker-a-0',
    '  OK means: it is stored.',
    '  master broker-a-0 is there',
    '  slave broker-a-1 is there',
    'nothing is wrong',
  ])
})

test('rule 6.3: a lone synchronous master is told with the ways out, once', () => {
  const why = 'inSyncReplicas=2, but only 1: start the slaves that are missing'
  const cluster = clusterOf(
    [
      { ...master, problems: [why] },
      { ...slave, alive: false, problems: ['said when it was there'] },
    ],
    [{ check: 'writable', message: `broker-a takes no messages: ${why}` }],
  )
  expect(linesOf(cluster).slice(2)).toEqual([
    '  master broker-a-0 is there',
    '  slave broker-a-1 is not heard',
    `! broker-a takes no messages: ${why}`,
    '! broker-a-1: not heard by metadata-rpc: start it, or see why it does not get through',
    '2 things are wrong',
  ])
})

test('a log that differs is wrong although nobody complains', () => {
  const following = {
    master: 'broker-a-0',
    address: '10.0.0.1:10912',
    state: 'following',
    reported: 90_000,
    masterEnd: 90_000,
    lagBytes: 0,
    lagMs: 0,
    heardAgoMs: 10,
    dials: 1,
    connects: 1,
    troubles: {},
    mismatches: [{ from: 64, to: 128 }],
    problem: '',
  }
  const { complaints } = diagnosisOf(clusterOf([master, { ...slave, following }]))
  expect(complaints).toEqual([
    { identity: 'broker-a-1', message: expect.stringContaining('replication status') },
  ])
})

test('a replica that only its master knows, since metadata-rpc was started again, is missed', () => {
  const copy = {
    address: '',
    sent: 0,
    received: 0,
    flushed: 0,
    lagBytes: 0,
    dispatched: 0,
    lagMs: 0,
    connects: 0,
    refusals: {},
    heardAgoMs: 0,
    problem: '',
    ackLatency: { count: 0, p50Ms: 0, p99Ms: 0, maxMs: 0 },
    verification: { verifiedTo: 0, comparedBytes: 0, skippedBytes: 0, mismatches: [], found: 0 },
  }
  const replicas = [
    { ...copy, identity: 'broker-a-1', state: 'away' },
    { ...copy, identity: 'broker-a-2', state: 'not seen' },
    { ...copy, identity: '10.0.0.9:50000', state: 'not counted' },
  ]
  const cluster = clusterOf([{ ...master, replicas }, slave])
  expect(diagnosisOf(cluster).complaints).toEqual([
    { identity: 'broker-a-2', message: expect.stringContaining('replica forget broker-a-2') },
  ])
})

test('that there is no broker at all is wrong too', () => {
  expect(linesOf({ sets: [], problems: [] })).toEqual(['! no broker has registered', '1 thing is wrong'])
})
