import { cpSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readPosition } from '@tandemmq/storage'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { OwnDirectory, openOwn } from '../own-store.test-kit.ts'
import { bodies, change, contents, copyOf, files, problems, repair, whole } from './repair.test-kit.ts'

let own: OwnDirectory
beforeAll(async () => {
  own = await OwnDirectory.closed()
})
afterAll(() => own[Symbol.dispose]())

test('a sound store needs nothing, and is not touched', async () => {
  const root = copyOf(own.root)
  const before = contents(root, '.')
  const report = await repair(root)
  expect(report).toMatchObject({ steps: [], left: [], isDone: false, remaining: [] })
  expect(contents(root, '.')).toBe(before)
})

test('without a word of the operator nothing is changed', async () => {
  const root = copyOf(own.root)
  change(root, 'consumequeue/orders/1/00000000000000000000', (bytes) => bytes.fill(7, 40, 45))
  const before = contents(root, '.')
  const report = await repair(root, { yes: false })
  expect(report.steps.map(({ words }) => words)).toEqual([
    'build the consume queues again from the log (the present consumequeue is saved to diverged/repair-1)',
    'open the store, as a broker does, and close it',
  ])
  expect(contents(root, '.')).toBe(before)
})

describe('what is derived from the log is built again, byte by byte the same', () => {
  test.each<[string, (root: string) => void]>([
    [
      'a unit',
      (root) => change(root, 'consumequeue/orders/1/00000000000000000000', (bytes) => bytes.fill(7, 40, 45)),
    ],
    ['a file of a queue is gone', (root) => rmSync(join(root, 'consumequeue/orders/0/00000000000000000000'))],
    ['a queue is gone', (root) => rmSync(join(root, 'consumequeue/orders/2'), { recursive: true })],
    ['all queues are gone', (root) => rmSync(join(root, 'consumequeue'), { recursive: true })],
    ['queueEnds', (root) => writeFileSync(join(root, 'queueEnds'), 'x')],
    ['checkpoint', (root) => truncateSync(join(root, 'checkpoint'), 5)],
  ])('%s', async (_what, damage) => {
    const root = copyOf(own.root)
    damage(root)
    expect(problems(root)).not.toEqual([])
    const report = await repair(root)
    expect(report).toMatchObject({ isDone: true, remaining: [], left: [] })
    expect(problems(root)).toEqual([])
    for (const directory of ['consumequeue', 'commitlog', 'index']) {
      expect(contents(root, directory)).toBe(contents(own.root, directory))
    }
    expect(await bodies(root, 1)).toEqual(whole(1))
  })

  test.each<[string, (root: string, name: string) => void]>([
    [
      'an entry',
      (root, name) => change(root, `index/${name}`, (bytes) => bytes.fill(9, 40 + 200 + 100, 40 + 200 + 103)),
    ],
    ['an index header', (root, name) => change(root, `index/${name}`, (bytes) => bytes.fill(1, 16, 24))],
    ['an index file is gone', (root, name) => rmSync(join(root, 'index', name))],
    ['indexFiles', (root) => writeFileSync(join(root, 'indexFiles'), 'x')],
  ])('%s', async (_what, damage) => {
    const root = copyOf(own.root)
    damage(root, readdirSync(join(root, 'index'))[1] ?? '')
    expect(problems(root)).not.toEqual([])
    const report = await repair(root)
    expect(report).toMatchObject({ isDone: true, remaining: [], left: [] })
    const store = await openOwn(root)
    const found = await store.query({
      topic: 'orders',
      by: 'key',
      value: 'key-77',
      begin: 0,
      end: 2 ** 50,
      max: 5,
    })
    expect(found.records.map(({ body }) => body[0])).toEqual([77])
    await store.close()
  })
})

describe('state files', () => {
  test('the position file comes from its copy, which counts as no clean stop', async () => {
    const root = copyOf(own.root)
    await bodies(root, 0) // One more life, so that there is a copy.
    writeFileSync(join(root, 'position'), 'x')
    const report = await repair(root)
    expect(report).toMatchObject({ isDone: true, remaining: [], left: [] })
    expect(report.steps[0]?.words).toContain('replace the position file with what position.bak says')
    expect(readFileSync(join(root, 'diverged/repair-1/position'), 'utf8')).toBe('x')
    expect(readPosition(files, root).lossPossible).toBe(true)
    expect(await bodies(root, 0)).toEqual(whole(0))
  })

  test('without a copy it is said what to do, and nothing is invented', async () => {
    const root = copyOf(own.root)
    rmSync(join(root, 'position.bak'), { force: true })
    writeFileSync(join(root, 'position'), 'x')
    const report = await repair(root, { yes: false })
    expect(report.left.join()).toContain('acceptLoss=true')
  })

  test('epochFileCheckpoint comes from epochOpeners, that from a copy with the same last epoch', async () => {
    const root = copyOf(own.root)
    const store = await openOwn(root)
    await store.openEpoch()
    await store.close()
    cpSync(join(root, 'epochOpeners'), join(root, 'epochOpeners.bak'))
    writeFileSync(join(root, 'epochOpeners'), 'x')
    expect(await repair(root)).toMatchObject({ isDone: true, remaining: [], left: [] })
    writeFileSync(join(root, 'epochFileCheckpoint'), 'x')
    expect(await repair(root)).toMatchObject({ isDone: true, remaining: [], left: [] })
  })

  test('an epoch that only the damaged file had is not forgotten', async () => {
    const root = copyOf(own.root)
    const before = readFileSync(join(root, 'epochOpeners'))
    change(root, 'epochFileCheckpoint', () => {})
    writeFileSync(join(root, 'epochOpeners.bak'), before)
    writeFileSync(join(root, 'epochOpeners'), 'x')
    writeFileSync(join(root, 'epochFileCheckpoint'), '1\n0\n7-0\n')
    const report = await repair(root, { yes: false })
    expect(report.left.join()).toContain('its copy may lack the last epoch')
  })

  test('config files come from their copies', async () => {
    const root = copyOf(own.root)
    writeFileSync(join(root, 'config/topics.json'), '{"topicConfigTable":')
    expect(await repair(root)).toMatchObject({ isDone: true, remaining: [], left: [] })
    expect(readFileSync(join(root, 'config/topics.json'), 'utf8')).toContain('orders')
  })
})
