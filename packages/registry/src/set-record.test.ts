import { RecordingLogger, SeededRandom, SimulatedClock, SimulatedFiles } from '@tandemmq/testkit'
import { expect, test } from 'vitest'
import { SetRecordsFile, type SetRecord } from './set-record.ts'

const ROOT = '/data'
const PATH = `${ROOT}/registry`

const first: SetRecord = { set: 'broker-a', logEpoch: 3 }
const appointed: SetRecord = {
  set: 'broker-a',
  logEpoch: 103,
  appointment: {
    identity: 'broker-a-1',
    epoch: 103,
    grpcAddress: '10.0.0.2:8081',
    haAddress: '10.0.0.2:10912',
    end: 300,
    acceptsLoss: false,
  },
}
const other: SetRecord = { set: 'broker-b', logEpoch: 7 }

class Disk {
  readonly clock = new SimulatedClock()
  readonly logger = new RecordingLogger()
  readonly files = new SimulatedFiles({ clock: this.clock, random: new SeededRandom(1) })

  static async ready(): Promise<Disk> {
    const disk = new Disk()
    disk.files.makeDirectory(ROOT)
    await disk.clock.outcome(disk.files.syncDirectory('/'))
    return disk
  }

  open(): SetRecordsFile {
    return SetRecordsFile.open(this.files, ROOT, this.logger)
  }

  async put(records: SetRecordsFile, ...changes: readonly SetRecord[]): Promise<void> {
    for (const record of changes) await this.clock.outcome(records.put(record))
  }

  damage(path: string): void {
    const file = this.files.open(path, 'read-write')
    file.write(Buffer.from('?'), 30)
    file.close()
  }
}

test('what was put is there at the next start, with and without an appointment', async () => {
  const disk = await Disk.ready()
  expect(disk.open().all).toEqual([])
  await disk.put(disk.open(), appointed, other)
  disk.files.crash()
  expect(disk.open().all).toEqual([appointed, other])
  expect(disk.logger.messages('warn')).toEqual([])
})

test('a damaged file is told of, the one before it is used, and the next write does not put the damage in its place', async () => {
  const disk = await Disk.ready()
  await disk.put(disk.open(), appointed, other)
  disk.damage(PATH)
  const records = disk.open()
  expect(records.all).toEqual([appointed])
  expect(disk.logger.messages('warn').join()).toContain('was damaged; the one before it is used')

  await disk.put(records, { ...other, logEpoch: 8 })
  expect(disk.open().all).toEqual([appointed, { ...other, logEpoch: 8 }])
  disk.damage(PATH)
  expect(disk.open().all).toEqual([appointed])
})

test('where the fallback copy is damaged too nothing is guessed: the start is refused, and the words say what to do', async () => {
  const disk = await Disk.ready()
  await disk.put(disk.open(), first, appointed)
  disk.damage(PATH)
  disk.damage(`${PATH}.bak`)
  const refused = (): unknown => disk.open()
  expect(refused).toThrow(expect.objectContaining({ code: 'STATE_FILE_CORRUPT' }))
  expect(refused).toThrow('/data/registry is damaged and so is its fallback copy')
  expect(refused).toThrow('who is the master of which set is not known')
  expect(disk.files.list(ROOT)).toEqual(['registry', 'registry.bak'])
})

test.each([
  { call: 'write', code: 'ENOSPC' },
  { call: 'dataSync', code: 'EIO' },
  { call: 'rename', code: 'EACCES' },
] as const)(
  'a write that fails ($call, $code) says so and leaves what was there; the next one has that change too',
  async ({ call, code }) => {
    const disk = await Disk.ready()
    const records = disk.open()
    await disk.put(records, first)
    disk.files.fail({ call, code, nth: 1 })
    await expect(disk.put(records, appointed)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('/data/registry cannot be written: '),
    })
    expect(records.all, 'known until the process ends').toEqual([appointed])
    expect(disk.open().all).toEqual([first])
    await disk.put(records, other)
    disk.files.crash()
    expect(disk.open().all).toEqual([appointed, other])
  },
)

test('a change that comes while another is being written is durable when its own promise says so', async () => {
  const disk = await Disk.ready()
  const records = disk.open()
  const earlier = records.put(appointed)
  await disk.clock.settle()
  const later = records.put(other)
  await disk.clock.outcome(earlier)
  await disk.clock.outcome(later)
  disk.files.crash()
  expect(disk.open().all).toEqual([appointed, other])
})
