import { beforeAll, expect, test } from 'vitest'
import { ROOT, StoreMachine, history } from './broker-stores.ts'
import { knowledgeIn } from './damaged-bytes.ts'
import { contentOf, put, type FileImage } from './file-image.ts'
import { knowledgeOf, type Knowledge } from './knowledge.ts'

let image: FileImage
let before: Knowledge
beforeAll(async () => {
  image = await history('closed')
  before = await knowledgeIn(image)
})

const owner = { cluster: 'DefaultCluster', set: 'broker-a', role: 'master' as const }

test.each([
  [
    'another set',
    { owner: { ...owner, set: 'broker-b' } },
    /store of broker set broker-a in cluster DefaultCluster/,
  ],
  [
    'another cluster',
    { owner: { ...owner, cluster: 'Other' } },
    /in cluster DefaultCluster, this broker .* Other/,
  ],
  ['longer segments', { segmentBytes: 8192 }, /files of 4096 bytes, configured are 8192/],
  ['shorter segments', { segmentBytes: 2048 }, /files of 4096 bytes, configured are 2048/],
  ['queue files of another length', { consumeQueueFileBytes: 140 }, /consumequeue/],
] as const)(
  'the store of a broker with %s is refused, and stays as it was',
  async (_what, options, sentence) => {
    const machine = new StoreMachine(image)
    await expect(machine.open(options)).rejects.toMatchObject({
      code: 'STORE_FOREIGN',
      message: expect.stringMatching(sentence),
    })
    expect(machine.image()).toEqual(image)
    expect(knowledgeOf(await machine.open())).toEqual(before)
  },
)

test("a slave's store is no master's, unless the operator gives up what only its master had", async () => {
  const machine = new StoreMachine(image)
  await machine.close(await machine.open({ owner: { ...owner, role: 'slave', takesOtherStore: true } }))
  await expect(machine.open()).rejects.toMatchObject({
    code: 'STORE_FOREIGN',
    message: expect.stringMatching(/slave's store.*acceptLoss/),
  })
  await machine.close(await machine.open({ acceptLoss: true }))
  expect(knowledgeOf(await machine.open())).toEqual(before)
})

test("a master's store is no slave's, stays the master's, and becomes a slave's at the operator's word", async () => {
  const machine = new StoreMachine(image)
  const slave = { ...owner, role: 'slave' as const }
  await expect(machine.open({ owner: slave })).rejects.toMatchObject({
    code: 'STORE_FOREIGN',
    message: expect.stringMatching(/master's store, this broker is a slave: .*acceptLoss/),
  })
  expect(machine.image()).toEqual(image)
  await machine.close(await machine.open())
  await machine.close(await machine.open({ owner: { ...slave, takesOtherStore: true } }))
  expect(knowledgeOf(await machine.open({ owner: slave }))).toEqual(before)
})

test('a newer version of a state file is refused by its name; its older copy is no fallback', async () => {
  for (const name of ['position', 'epochOpeners', 'queueEnds']) {
    const machine = new StoreMachine(image)
    const path = `${ROOT}/${name}`
    const text = contentOf(machine.disk, path).toString()
    put(machine.disk, path, Buffer.from(text.replace(/ 1\n/, ' 2\n')))
    const opening = machine.open()
    if (name === 'queueEnds') expect(knowledgeOf(await opening)).toEqual(before) // Derived: built again.
    else
      await expect(opening).rejects.toMatchObject({
        code: 'STORE_FOREIGN',
        message: expect.stringMatching(/version 2, known is 1/),
      })
  }
})

test('a log that lacks its first file is refused, and goes on without it where the operator says so', async () => {
  const machine = new StoreMachine(image)
  machine.disk.remove(`${ROOT}/commitlog/00000000000000000000`)
  await expect(machine.open()).rejects.toMatchObject({
    code: 'LOG_CORRUPT',
    message: expect.stringMatching(/lacks its files from 0/),
  })
  const { store } = await machine.open({ acceptLoss: true })
  expect(store.minOffset).toBe(4096)
})

test('files of two logs in one store are refused', async () => {
  const other = new StoreMachine()
  other.random.bytes(7) // Another history of random numbers.
  await other.close(await other.openMaster())
  const machine = new StoreMachine(image)
  put(machine.disk, `${ROOT}/epochOpeners`, contentOf(other.disk, `${ROOT}/epochOpeners`))
  await expect(machine.open()).rejects.toMatchObject({
    code: 'STORE_FOREIGN',
    message: expect.stringMatching(/different logs/),
  })
})

test.each([
  ['epochOpeners', /epochOpeners is missing/],
  ['position', /position is missing/],
  ['journal/progress.journal', /progress\.journal is missing/],
])('%s and its copy gone: refused, never an empty state', async (name, sentence) => {
  const machine = new StoreMachine(image)
  for (const path of [name, `${name}.bak`]) machine.disk.remove(`${ROOT}/${path}`)
  await expect(machine.open()).rejects.toMatchObject({
    code: 'STATE_FILE_CORRUPT',
    message: expect.stringMatching(sentence),
  })
})

test.each([
  ['position', /position is damaged and so is its fallback copy/],
  ['epochOpeners', /epochOpeners is damaged and so is its fallback copy/],
  ['config/topics.json', /topics\.json cannot be read/],
  ['config/consumerOffset.json', /consumerOffset\.json cannot be read/],
])('%s and its copy half written: refused, never an empty state', async (name, sentence) => {
  for (const length of [0, 1, 40]) {
    const machine = new StoreMachine(image)
    const half = (image.get(`${ROOT}/${name}`) ?? Buffer.alloc(0)).subarray(0, length)
    for (const path of [name, `${name}.bak`]) put(machine.disk, `${ROOT}/${path}`, half)
    const refused = { code: 'STATE_FILE_CORRUPT', message: expect.stringMatching(sentence) }
    await expect(machine.open()).rejects.toMatchObject(refused)
    await expect(machine.open()).rejects.toMatchObject(refused) // Nothing was replaced meanwhile.
  }
})
