import { expect, test } from 'vitest'
import { SeededRandom } from './seeded-random.ts'
import { SimulatedClock } from './simulated-clock.ts'
import { SimulatedFiles } from './simulated-files.ts'

function disk(seed = 1, totalBytes?: number) {
  const clock = new SimulatedClock()
  const random = new SeededRandom(seed)
  const files = new SimulatedFiles({ clock, random, ...(totalBytes === undefined ? {} : { totalBytes }) })
  files.makeDirectory('/data')
  return { clock, files }
}

function contents(files: SimulatedFiles, path: string): Buffer {
  const file = files.open(path, 'read')
  const bytes = Buffer.alloc(file.size())
  file.read(bytes, 0)
  file.close()
  return bytes
}

/** What 200 seeds leave of a scenario, as a set of outcomes. */
async function outcomes(scenario: (clock: SimulatedClock, files: SimulatedFiles) => Promise<string>) {
  const seen = new Set<string>()
  for (let seed = 0; seed < 200; seed += 1) {
    const { clock, files } = disk(seed)
    seen.add(await scenario(clock, files))
  }
  return seen
}

test('reads see writes at once, holes are zeros, reads are short only at the end', () => {
  const { files } = disk()
  const file = files.open('/data/log', 'create')
  file.write(Buffer.from('abc'), 10_000)
  expect(file.size()).toBe(10_003)
  const target = Buffer.alloc(8, 1)
  expect(file.read(target, 9_998)).toBe(5)
  expect(target).toEqual(Buffer.from([0, 0, 0x61, 0x62, 0x63, 1, 1, 1]))
  file.truncate(10_001)
  file.truncate(10_004)
  expect(contents(files, '/data/log').subarray(10_000)).toEqual(Buffer.from('a\0\0\0'))
})

test('errors carry the codes of node:fs', () => {
  const { files } = disk()
  expect(() => files.open('/data/none', 'read')).toThrow(expect.objectContaining({ code: 'ENOENT' }))
  expect(() => files.open('/none/file', 'create')).toThrow(expect.objectContaining({ code: 'ENOENT' }))
  files.open('/data/a', 'create')
  expect(() => files.open('/data/a', 'create')).toThrow(expect.objectContaining({ code: 'EEXIST' }))
  expect(() => files.open('/data/a', 'read').write(Buffer.alloc(1), 0)).toThrow(
    expect.objectContaining({ code: 'EBADF' }),
  )
  expect(files.list('/data')).toEqual(['a'])
  expect(files.list('/nowhere')).toEqual([])
})

test('what was synced survives every crash; what was not survives in some', async () => {
  const seen = await outcomes(async (clock, files) => {
    const file = files.open('/data/log', 'create')
    file.write(Buffer.from('safe'), 0)
    await clock.outcome(Promise.all([file.dataSync(), files.syncDirectory('/data')]))
    file.write(Buffer.from('risk'), 4)
    files.crash()
    return contents(files, '/data/log').toString()
  })
  expect(seen).toEqual(new Set(['safe', 'saferisk']))
})

test('a sync in flight when the power goes has promised nothing, and its promise never settles', async () => {
  const seen = await outcomes(async (clock, files) => {
    const file = files.open('/data/log', 'create')
    await clock.outcome(files.syncDirectory('/data'))
    file.write(Buffer.from('x'), 0)
    let settled = false
    void file.dataSync().finally(() => (settled = true))
    await clock.settle()
    files.crash()
    await clock.advance(1_000)
    expect(settled).toBe(false)
    return contents(files, '/data/log').toString()
  })
  expect(seen).toEqual(new Set(['', 'x']))
})

test('what is written while a sync runs is not covered by it', async () => {
  const seen = await outcomes(async (clock, files) => {
    const file = files.open('/data/log', 'create')
    await clock.outcome(files.syncDirectory('/data'))
    file.write(Buffer.from('a'), 0)
    const synced = file.dataSync()
    file.write(Buffer.from('b'), 1)
    await clock.outcome(synced)
    files.crash()
    return contents(files, '/data/log').toString()
  })
  expect(seen).toEqual(new Set(['a', 'ab']))
})

test('unsynced writes survive in any order and are torn only at sectors', async () => {
  const seen = await outcomes(async (clock, files) => {
    const file = files.open('/data/log', 'create')
    file.truncate(2048)
    await clock.outcome(Promise.all([file.dataSync(), files.syncDirectory('/data')]))
    file.write(Buffer.alloc(1024, 'a'), 0)
    file.write(Buffer.alloc(1024, 'b'), 1024)
    files.crash()
    const bytes = contents(files, '/data/log')
    const sectors = [0, 512, 1024, 1536].map((at) => bytes.subarray(at, at + 512))
    for (const sector of sectors) expect(new Set(sector).size).toBe(1)
    return sectors.map((sector) => String.fromCharCode(sector[0] || 0x2d)).join('')
  })
  expect(seen).toContain('aabb')
  expect(seen).toContain('----')
  expect(seen).toContain('--bb') // The later one without the earlier one.
  expect(seen).toContain('a---') // Torn.
  expect(seen).toContain('-a--')
})

test('a file whose directory was never synced may be gone, and a rename happens whole or not at all', async () => {
  const created = await outcomes(async (clock, files) => {
    const file = files.open('/data/new', 'create')
    file.write(Buffer.from('x'), 0)
    await clock.outcome(file.dataSync())
    files.crash()
    return String(files.exists('/data/new'))
  })
  expect(created).toEqual(new Set(['true', 'false']))

  const renamed = await outcomes(async (clock, files) => {
    for (const [name, text] of [
      ['state', 'old'],
      ['state.tmp', 'new'],
    ] as const) {
      const file = files.open(`/data/${name}`, 'create')
      file.write(Buffer.from(text), 0)
      await clock.outcome(file.dataSync())
    }
    await clock.outcome(files.syncDirectory('/data'))
    files.rename('/data/state.tmp', '/data/state')
    files.crash()
    return `${files.list('/data').join()}: ${contents(files, '/data/state').toString()}`
  })
  expect(renamed).toEqual(new Set(['state,state.tmp: old', 'state: new']))
})

test('a directory made below another is a name too', async () => {
  const seen = await outcomes(async (clock, files) => {
    files.makeDirectory('/data/a')
    const file = files.open('/data/a/log', 'create')
    await clock.outcome(Promise.all([file.dataSync(), files.syncDirectory('/data/a')]))
    files.crash()
    return String(files.exists('/data/a/log'))
  })
  expect(seen).toEqual(new Set(['true', 'false']))
})

test('kill keeps everything written but makes it no safer', async () => {
  const seen = await outcomes(async (clock, files) => {
    const file = files.open('/data/log', 'create')
    await clock.outcome(files.syncDirectory('/data'))
    file.write(Buffer.from('x'), 0)
    files.kill()
    expect(() => file.write(Buffer.from('y'), 0)).toThrow(expect.objectContaining({ code: 'EBADF' }))
    expect(contents(files, '/data/log').toString()).toBe('x')
    files.crash()
    return contents(files, '/data/log').toString()
  })
  expect(seen).toEqual(new Set(['', 'x']))
})

test('a mount dies with its process', () => {
  const { files } = disk()
  const mount = files.mount()
  mount.open('/data/a', 'create')
  files.kill()
  expect(() => mount.open('/data/b', 'create')).toThrow(expect.objectContaining({ code: 'ESTALE' }))
  expect(() => mount.remove('/data/a')).toThrow(expect.objectContaining({ code: 'ESTALE' }))
  expect(files.list('/data')).toEqual(['a'])
})

test('the n-th matching call fails, alone or from then on', async () => {
  const { clock, files } = disk()
  const log = files.open('/data/log', 'create')
  const other = files.open('/data/other', 'create')
  files.fail({ call: 'write', code: 'ENOSPC', nth: 2, matching: /log$/ })
  log.write(Buffer.alloc(4096, 1), 0)
  other.write(Buffer.alloc(1), 0)
  expect(() => log.write(Buffer.alloc(4096, 2), 4096)).toThrow(expect.objectContaining({ code: 'ENOSPC' }))
  expect(log.size() % 512).toBe(0) // A part may be there, up to a sector.
  log.write(Buffer.alloc(1), 0)
  files.fail({ call: 'dataSync', code: 'EIO', forever: true })
  await expect(clock.outcome(log.dataSync())).rejects.toMatchObject({ code: 'EIO' })
  await expect(clock.outcome(log.dataSync())).rejects.toMatchObject({ code: 'EIO' })
})

test('what a failed sync left behind is not saved by the next one', async () => {
  const seen = await outcomes(async (clock, files) => {
    const file = files.open('/data/log', 'create')
    await clock.outcome(files.syncDirectory('/data'))
    file.write(Buffer.from('x'), 0)
    files.fail({ call: 'dataSync', code: 'EIO' })
    await expect(clock.outcome(file.dataSync())).rejects.toMatchObject({ code: 'EIO' })
    await clock.outcome(file.dataSync())
    files.crash()
    return contents(files, '/data/log').toString()
  })
  expect(seen).toEqual(new Set(['', 'x']))
})

test('a full disk refuses growth, not overwriting; removing makes room', () => {
  const { files } = disk(1, 8192)
  const file = files.open('/data/log', 'create')
  file.truncate(1_000_000) // A hole.
  file.write(Buffer.alloc(8192), 0)
  expect(() => file.write(Buffer.alloc(1), 9000)).toThrow(expect.objectContaining({ code: 'ENOSPC' }))
  file.write(Buffer.alloc(8192, 1), 0)
  expect(files.space('/data')).toEqual({ free: 0, total: 8192 })
  files.remove('/data')
  expect(files.space('/data').free).toBe(8192)
})

async function run(seed: number): Promise<string> {
  const { clock, files } = disk(seed)
  for (let index = 0; index < 8; index += 1) {
    const file = files.open(`/data/${index}`, 'create')
    file.write(Buffer.alloc(4096, index + 1), 0)
    if (index % 2 === 0) await clock.outcome(file.dataSync())
  }
  files.crash()
  return files
    .list('/data')
    .map((name) => name + contents(files, `/data/${name}`).toString('hex'))
    .join()
}

test('the same seed leaves the same disk', async () => {
  expect(await run(5)).toBe(await run(5))
  expect(await run(5)).not.toBe(await run(6))
})
