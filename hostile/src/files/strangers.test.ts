import { beforeAll, expect, test } from 'vitest'
import { history, ROOT } from './broker-stores.ts'
import { knowledgeIn } from './damaged-bytes.ts'
import type { FileImage } from './file-image.ts'
import type { Knowledge } from './knowledge.ts'
import { RealStore } from './real-store.ts'
import { putStranger, STRANGERS } from './strangers.ts'
import { verdictOf } from './verdict.ts'

let image: FileImage
let before: Knowledge
beforeAll(async () => {
  image = await history('closed')
  before = await knowledgeIn(image)
})

const files = [
  'position',
  'epochOpeners',
  'epochFileCheckpoint',
  'checkpoint',
  'queueEnds',
  'abort',
  'journal/progress.journal',
  'config/topics.json',
  'config/consumerOffset.json',
  'commitlog/00000000000000004096',
  'consumequeue/payments/0/00000000000000000000',
  'consumequeue/payments/0',
  'consumequeue/payments',
  'consumequeue',
  'commitlog',
  'journal',
  'config',
]

const derived = new Set(['checkpoint', 'queueEnds', 'epochFileCheckpoint'])

/** One that is read at a start; the mark of a running process may be anything, and Apache's copy of the epochs is only written. */
function isFile(path: string): boolean {
  return /position|epochOpeners|^checkpoint|queueEnds|\.j|\/0000/.test(path)
}

test.each(STRANGERS)('%s in the place of any file or directory of a store', async (stranger) => {
  const peakKiB = process.resourceUsage().maxRSS
  const verdicts: string[] = []
  for (const file of files) {
    await using real = new RealStore(image)
    putStranger(real.path(`${ROOT}/${file}`), stranger)
    const verdict = await verdictOf(file, before, real.logger, () => real.open())
    if (stranger !== 'a directory' && derived.has(file)) expect(verdict, file).toBe('whole')
    if (stranger === 'a directory' && isFile(file)) expect(verdict, file).toBe('refused')
    verdicts.push(verdict)
  }
  expect(new Set(verdicts)).not.toContain('unreadable')
  // Nothing was read because of its length alone.
  expect(process.resourceUsage().maxRSS - peakKiB).toBeLessThan(200 * 1024)
})
