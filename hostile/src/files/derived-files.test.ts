import { beforeAll, expect, test } from 'vitest'
import { history, StoreMachine } from './broker-stores.ts'
import { knowledgeIn } from './damaged-bytes.ts'
import { put, type FileImage } from './file-image.ts'
import { knowledgeOf, type Knowledge } from './knowledge.ts'

let image: FileImage
let before: Knowledge
beforeAll(async () => {
  image = await history('closed')
  before = await knowledgeIn(image)
})

const garbage = Buffer.from('garbage '.repeat(100)).subarray(0, 100)

const harms: readonly (readonly [string, (machine: StoreMachine) => void])[] = [
  ['all queues gone', ({ disk }) => disk.remove('/data/store/consumequeue')],
  ['one topic gone', ({ disk }) => disk.remove('/data/store/consumequeue/payments')],
  ['one queue gone', ({ disk }) => disk.remove('/data/store/consumequeue/orders/1')],
  [
    'the first file of a queue gone',
    ({ disk }) => disk.remove('/data/store/consumequeue/orders/1/00000000000000000000'),
  ],
  [
    'the last file of a queue gone',
    ({ disk }) => disk.remove('/data/store/consumequeue/orders/1/00000000000000000200'),
  ],
  [
    'a queue file of garbage',
    ({ disk }) => put(disk, '/data/store/consumequeue/orders/0/00000000000000000100', garbage),
  ],
  [
    'an empty queue file',
    ({ disk }) => put(disk, '/data/store/consumequeue/orders/0/00000000000000000200', Buffer.alloc(0)),
  ],
  ['the checkpoint gone', ({ disk }) => disk.remove('/data/store/checkpoint')],
  ['a checkpoint of garbage', ({ disk }) => put(disk, '/data/store/checkpoint', garbage)],
  ['the queue ends gone', ({ disk }) => disk.remove('/data/store/queueEnds')],
  [
    'both copies of the queue ends of garbage',
    ({ disk }) => {
      put(disk, '/data/store/queueEnds', garbage)
      put(disk, '/data/store/queueEnds.bak', garbage)
    },
  ],
]

test.each(harms)('%s: derived files are built again to the same bytes', async (_what, harm) => {
  const machine = new StoreMachine(image)
  harm(machine)
  const stores = await machine.open()
  expect(knowledgeOf(stores)).toEqual(before)
  await machine.close(stores)
  const after = machine.image()
  for (const [path, content] of image) {
    if (/consumequeue|checkpoint$/.test(path)) expect(after.get(path), path).toEqual(content)
  }
})

test('an offset is not given a second time to a queue whose files were gone', async () => {
  const machine = new StoreMachine(image)
  machine.disk.remove('/data/store/consumequeue/payments')
  const { store } = await machine.openMaster()
  const body = { topic: 'payments', queueId: 0, flag: 0, sysFlag: 0, bornTimestamp: 0 }
  const { queueOffset } = store.append({
    ...body,
    bornHost: { ip: '10.0.0.1', port: 4000 },
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body: Buffer.from('next'),
    properties: '',
  })
  expect(queueOffset).toBe(14)
})

test('a fallback copy survives the first replacement of a damaged file', async () => {
  const machine = new StoreMachine(image)
  await machine.syncAll()
  const path = '/data/store/position'
  put(machine.disk, path, garbage)
  // The new version is synced under its temporary name; then the machine dies before it has the name.
  machine.disk.fail({ call: 'rename', code: 'EIO', matching: /position\.tmp$/, forever: true })
  await expect(machine.open()).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  machine.disk.kill()
  expect(knowledgeOf(await machine.open())).toEqual(before)
})
