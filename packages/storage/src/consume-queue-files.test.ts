import { SeededRandom, SimulatedClock, SimulatedFiles } from '@tandemmq/testkit'
import { expect, test } from 'vitest'
import { ConsumeQueueFiles } from './consume-queue-files.ts'
import { logFileName } from './log-file-name.ts'

function bench(): { clock: SimulatedClock; disk: SimulatedFiles; files: ConsumeQueueFiles } {
  const clock = new SimulatedClock()
  const disk = new SimulatedFiles({ clock, random: new SeededRandom(1) })
  const files = new ConsumeQueueFiles(disk.mount(), 100, 2)
  for (const queue of ['/data/q/orders/0', '/data/q/orders/1']) {
    files.makeDirectory(queue)
    for (let start = 0; start < 500; start += 100) {
      files.create(`${queue}/${logFileName(start)}`)
      files.write(`${queue}/${logFileName(start)}`, Buffer.from([1]), 0)
    }
  }
  return { clock, disk, files }
}

test('a queue whose files expire while they are being synced does not fail this sync, nor any later one', async () => {
  const { clock, disk, files } = bench()
  const syncing = files.sync()
  files.removeBelow('/data/q/orders/0', 400)
  files.removeAll('/data/q/orders/1')
  await clock.outcome(syncing)
  await clock.outcome(files.sync())
  disk.crash()
  expect(disk.list('/data/q/orders')).toEqual(['0'])
  expect(disk.list('/data/q/orders/0')).toEqual([logFileName(400)])
})

test('a failed sync is not forgotten over a file that has expired meanwhile', async () => {
  const { clock, disk, files } = bench()
  disk.fail({ call: 'dataSync', code: 'EIO', matching: /orders.1/, nth: 2 })
  const syncing = files.sync()
  files.removeBelow('/data/q/orders/0', 400)
  files.write(`/data/q/orders/1/${logFileName(400)}`, Buffer.from([2]), 0)
  await expect(clock.outcome(syncing)).rejects.toThrow('EIO')
  await clock.outcome(files.sync())
  disk.crash()
  expect(disk.list('/data/q/orders/1')).toHaveLength(5)
})
