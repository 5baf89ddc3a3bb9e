import { describe, expect, test } from 'vitest'
import { readCorpus } from './engine/corpus.ts'
import { execute } from './engine/execution.ts'
import { runCampaign } from './engine/campaign.ts'
import { targets } from './targets.ts'

/** What every `npm test` gives each target besides its corpus. The seed is fixed: a finding here stands until it is mended. */
const RUNS = 250
const COSTLY_RUNS = 40
const SEED = 20_261_122

describe.each(targets.map((target) => [target.name, target] as const))('%s', (name, target) => {
  const corpus = readCorpus(name)

  test('holds for its corpus; what is sound is taken', async () => {
    expect(corpus.length, 'a corpus to start from').toBeGreaterThan(0)
    for (const entry of corpus) {
      const verdict = await execute(target, entry.bytes).catch((cause: unknown) => {
        throw new Error(`${name}: ${entry.name}`, { cause })
      })
      if (entry.name.startsWith('seed-')) expect(verdict, entry.name).toBe('taken')
    }
  })

  test('holds for nesting a million deep', async () => {
    for (const opening of ['[', '{"a":']) {
      const input = Buffer.from(opening.repeat(1_000_000)).subarray(0, 1_000_001)
      await execute(target, input)
    }
  })

  test('holds for hostile inputs made from it', async () => {
    const { finding } = await runCampaign(target, {
      seed: SEED,
      runs: target.isCostly === true ? COSTLY_RUNS : RUNS,
      corpus: corpus.map(({ bytes }) => bytes),
    })
    if (finding)
      throw new Error(`${name}: ${finding.input.toString('hex').slice(0, 400)}`, { cause: finding.error })
  })
})
