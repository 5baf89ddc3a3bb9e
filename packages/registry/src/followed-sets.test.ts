import { describe, expect, test } from 'vitest'
import { FollowedSets } from './followed-sets.ts'
import type { SetReport } from './relay-link.ts'
import type { MemberReport } from './serving-view.ts'

function member(identity: string): MemberReport {
  return {
    identity,
    role: identity === 'a-0' ? 'master' : 'slave',
    grpcAddress: `${identity}:8081`,
    haAddress: '',
    alive: true,
    logId: '',
    lastEpoch: 1,
    end: 0,
    writable: identity === 'a-0',
    instanceId: 'i',
    flushed: 0,
    confirmed: 0,
    dispatched: 0,
    registered: true,
    heardAgoMs: 0,
  }
}

/** Of those members, `a-0` is the master, and the first one serves under `epoch`. */
function report(set: string, epoch: number | undefined, ...names: readonly string[]): SetReport {
  const members = names.map(member)
  const [holder] = members
  const master = members.find(({ role }) => role === 'master')
  return {
    members,
    serving: {
      cluster: 'c',
      set,
      members,
      ...(epoch !== undefined &&
        holder && {
          serving: { epoch, identity: holder.identity, grpcAddress: holder.grpcAddress, suspect: false },
        }),
      ...(master && {
        writable: {
          identity: master.identity,
          grpcAddress: master.grpcAddress,
          logEpoch: 1,
          diskFull: false,
        },
      }),
    },
  }
}

function sets(): FollowedSets {
  const followed = new FollowedSets()
  followed.opening(0)
  followed.heard({ revision: 7, sequence: 0, sets: [report('a', 5, 'a-0', 'a-1')] }, 10)
  return followed
}

test('who serves is known for a lease from the sending of the status that was answered, less 200 ms; then it may answer on promise', () => {
  const followed = sets()
  expect(followed.leaseEnd).toBe(1800)
  followed.sent(1, 500)
  followed.sent(2, 1000)
  followed.heard({ revision: 7, sequence: 1, sets: [report('a', 5, 'a-0', 'a-1')] }, 1700)
  expect(followed.set('a', 2299)).toMatchObject({ serving: { identity: 'a-0', epoch: 5 } })
  expect(followed.set('a', 2299)?.serving?.onPromise).toBeUndefined()
  expect(followed.set('a', 2300)).toMatchObject({
    serving: { identity: 'a-0', epoch: 5, onPromise: true },
    writable: { identity: 'a-0' },
  })
})

test('a revision counts as taken only if none before it was missed', () => {
  const followed = sets()
  const said = [report('a', 5, 'a-0', 'a-1')]
  followed.heard({ revision: 8, sets: said }, 20)
  expect(followed.revision).toBe(8)
  followed.heard({ revision: 10, sets: said }, 30)
  expect(followed.revision).toBe(8)
  followed.sent(1, 500)
  followed.heard({ revision: 10, sequence: 1, sets: said }, 510)
  expect(followed.revision).toBe(10)
})

describe('a registry that has just started', () => {
  test('has not heard of everybody: who it does not name goes on as before, for 5 s', () => {
    const followed = sets()
    followed.opening(1000)
    followed.heard({ revision: 1, sequence: 0, sets: [report('a', undefined, 'a-1')] }, 1010)
    const now = followed.set('a', 1020)
    expect(now).toMatchObject({ serving: { identity: 'a-0', epoch: 5 }, writable: { identity: 'a-0' } })
    expect(now?.members.map(({ identity, alive }) => `${identity} ${alive}`)).toEqual([
      'a-1 true',
      'a-0 false',
    ])
    followed.sent(1, 6000)
    followed.heard({ revision: 1, sequence: 1, sets: [report('a', undefined, 'a-1')] }, 6010)
    const settled = followed.set('a', 6020)
    expect([settled?.serving, settled?.writable, settled?.members.length]).toEqual([undefined, undefined, 1])
  })

  test('is believed about whom it names', () => {
    const followed = sets()
    followed.opening(1000)
    followed.heard({ revision: 1, sequence: 0, sets: [report('a', 6, 'a-1', 'a-0')] }, 1010)
    expect(followed.set('a', 1020)?.serving).toMatchObject({ identity: 'a-1', epoch: 6 })
    followed.heard({ revision: 2, sets: [report('a', undefined, 'a-1', 'a-0')] }, 1020)
    expect(followed.set('a', 1030)?.serving).toBeUndefined()
  })

  test('names no set yet: all stay, those that it has not named after 5 s go', () => {
    const followed = sets()
    followed.opening(1000)
    expect(followed.heard({ revision: 0, sequence: 0, sets: [] }, 1010)).toEqual([])
    expect(followed.all(1020).map(({ set }) => set)).toEqual(['a'])
    followed.sent(1, 6000)
    expect(followed.heard({ revision: 1, sequence: 1, sets: [report('b', 1, 'b-0')] }, 6010)).toEqual([
      'b',
      'a',
    ])
    expect(followed.all(6020).map(({ set }) => set)).toEqual(['b'])
  })
})
