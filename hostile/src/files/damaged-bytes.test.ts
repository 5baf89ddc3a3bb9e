import { beforeAll, expect, test } from 'vitest'
import { history } from './broker-stores.ts'
import { harmEveryByte, knowledgeIn, type Harm } from './damaged-bytes.ts'
import { allowedFor } from './allowed-verdicts.ts'
import type { FileImage } from './file-image.ts'
import type { Knowledge } from './knowledge.ts'

/** `npm run hostile -- files` tries every bit. */
const some = { placesMax: 12, allBits: false }

let image: FileImage
let before: Knowledge
beforeAll(async () => {
  image = await history('closed')
  before = await knowledgeIn(image)
})

test('the history has something to lose in every file', () => {
  expect(before.bodies).toHaveLength(42)
  expect(before.bodies.filter((body) => body.includes('life'))).toHaveLength(42)
  expect(before).toMatchObject({ roster: ['broker-a-1'], topics: 'orders,payments', groups: 'billing' })
  expect(before.progress).toContain('orders 0 1: 0  2  4  6 7  9  11  13')
  expect(image.size).toBeGreaterThan(25)
})

test.each<Harm>(['truncate', 'flip'])(
  '%s of any file: refused by its name, told, or made good; never a loss that nobody is told of',
  async (harm) => {
    for (const file of image.keys()) {
      const tally = await harmEveryByte(image, file, harm, before, some)
      const allowed = allowedFor(file)
      for (const verdict of Object.keys(tally)) expect(allowed, `${harm} ${file}`).toContain(verdict)
    }
  },
  120_000,
)

test('a process that was killed starts from any torn or flipped byte as well', async () => {
  const killed = await history('killed')
  const known = await knowledgeIn(killed)
  for (const file of ['position', 'epochOpeners', 'queueEnds', 'journal/progress.journal']) {
    for (const harm of ['truncate', 'flip'] as const) {
      const tally = await harmEveryByte(killed, `/data/store/${file}`, harm, known, some)
      for (const verdict of Object.keys(tally)) expect(allowedFor(file), `${harm} ${file}`).toContain(verdict)
    }
  }
}, 60_000)
