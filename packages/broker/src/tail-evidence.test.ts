import type { Hello } from '@tandemmq/codec'
import { describe, expect, test } from 'vitest'
import { judgeTail, type TailEvidence } from './tail-evidence.ts'

const LOG = '11'.repeat(16)

/** A replica that says that its log ends at `end`, in that epoch; 0: that it is empty. */
function hello(identity: string, end: number, epoch = 1, logId = LOG): Hello {
  return {
    protocolVersion: 1,
    role: 'slave',
    cluster: 'c',
    set: 's',
    identity,
    instanceId: 'i',
    nonce: Buffer.alloc(16),
    begin: 0,
    end,
    flushed: end,
    flush: 'when-required',
    segmentBytes: 4096,
    wallClock: 0,
    ...(end === 0 ? {} : { lineage: { logId, epochs: [{ epoch, start: 0, opener: 'aa'.repeat(8) }] } }),
  }
}

const ours = { logId: LOG, epochs: [{ epoch: 1, start: 0, opener: 'aa'.repeat(8) }] }

const emptyDisk: TailEvidence = {
  lineage: undefined,
  end: 0,
  lossReason: undefined,
  roster: [],
  heard: [],
  inSyncReplicas: 2,
  totalReplicas: 3,
  createLog: false,
  acceptLoss: false,
}

const lostTail: TailEvidence = {
  ...emptyDisk,
  lineage: ours,
  end: 500,
  lossReason: 'the last stop was not clean',
  roster: ['a', 'b'],
}

function verdict(evidence: TailEvidence, change: Partial<TailEvidence>): string {
  const { kind, ...more } = judgeTail({ ...evidence, ...change })
  return 'holder' in more ? `${kind} ${more.holder}` : kind
}

function heard(...hellos: readonly Hello[]): string {
  return verdict(lostTail, { heard: hellos })
}

describe('a disk without a log (rule 1.6)', () => {
  test('begins one when all other members say that they are empty, and not before', () => {
    expect(verdict(emptyDisk, {})).toBe('unknown')
    expect(verdict(emptyDisk, { heard: [hello('a', 0)] })).toBe('unknown')
    expect(verdict(emptyDisk, { heard: [hello('a', 0), hello('b', 0)] })).toBe('complete')
  })

  test('begins one at once where no slave is configured, or the operator says so', () => {
    expect(verdict(emptyDisk, { totalReplicas: 1 })).toBe('complete')
    expect(verdict(emptyDisk, { createLog: true })).toBe('complete')
  })

  test('is a lost one as soon as anybody holds a log: that is fetched, however many are empty', () => {
    const two = { totalReplicas: 2 }
    expect(verdict(emptyDisk, { ...two, heard: [hello('a', 700)] })).toBe('missing a')
    expect(verdict(emptyDisk, { heard: [hello('a', 700), hello('b', 0)] })).toBe('unknown')
    expect(verdict(emptyDisk, { heard: [hello('a', 700), hello('b', 0)], acceptLoss: true })).toBe(
      'missing a',
    )
    expect(verdict(emptyDisk, { heard: [hello('a', 700), hello('b', 900)] })).toBe('missing b')
  })

  test('is never written off by accepting a loss that nobody has named', () => {
    expect(verdict(emptyDisk, { acceptLoss: true })).toBe('unknown')
  })
})

describe('a log that may lack its tail (rule 3.2)', () => {
  test('needs min(R, R − q + 2) of R, this master one of them', () => {
    const both = [hello('a', 500), hello('b', 500)]
    for (const [inSyncReplicas, count, expected] of [
      [1, 1, 'unknown'],
      [1, 2, 'complete'],
      [2, 1, 'unknown'],
      [2, 2, 'complete'],
      [3, 0, 'unknown'],
      [3, 1, 'complete'],
    ] as const) {
      expect(
        verdict(lostTail, { inSyncReplicas, heard: both.slice(0, count) }),
        `q=${inSyncReplicas}, heard ${count}`,
      ).toBe(expected)
    }
  })

  test('is fetched from the highest (last epoch, end)', () => {
    expect(heard(hello('a', 600), hello('b', 700))).toBe('missing b')
    expect(heard(hello('a', 600, 2), hello('b', 700))).toBe('missing a')
    expect(heard(hello('a', 400), hello('b', 500))).toBe('complete')
  })

  test('is not known by those that are empty, new, or of another log', () => {
    expect(verdict(lostTail, { heard: [hello('a', 600), hello('b', 0)] })).toBe('unknown')
    expect(verdict(lostTail, { heard: [hello('a', 600), hello('x', 600)] })).toBe('unknown')
    const foreign = hello('b', 9_000, 9, '22'.repeat(16))
    expect(verdict(lostTail, { heard: [hello('a', 600), foreign] })).toBe('unknown')
  })

  test('waits for nobody without slaves, without a doubt, or by the word of the operator', () => {
    expect(verdict(lostTail, { roster: [] })).toBe('complete')
    expect(verdict(lostTail, { lossReason: undefined })).toBe('complete')
    expect(verdict(lostTail, { acceptLoss: true })).toBe('complete')
  })

  test('needs no more than the roster has, although more members are configured', () => {
    expect(verdict(lostTail, { roster: ['a'], heard: [hello('a', 500)] })).toBe('complete')
  })
})
