import { openSync, readSync, writeSync, closeSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ApacheBroker } from './apache-broker.ts'
import { ApacheClient } from './apache-client.ts'
import { freePort } from './free-ports.ts'
import { Load } from './load.ts'
import { readLog } from './log-file-records.ts'
import { openStore, weServeAll } from './message-store.test-kit.ts'
import { OurBroker } from './our-broker.ts'
import { RunDirectory } from './run-directory.test-kit.ts'
import { sameLog } from './same-log.test-kit.ts'

test('our slave follows a master of Apache, through restarts of either in the middle of load', async (context) => {
  const run = new RunDirectory(context)
  const original = run.join('apache')
  const copy = run.join('ours')
  const haListenPort = await freePort()
  await using client = await ApacheClient.start(run.home('client'))
  const master = (keys = {}): Promise<ApacheBroker> =>
    ApacheBroker.start({ store: original, home: run.home('apache'), keys: { haListenPort, ...keys } })
  const slave = (store = copy): Promise<OurBroker> => {
    const keys = { haPeer: 'apache', haMasterAddress: `127.0.0.1:${haListenPort}` }
    return OurBroker.start({ role: 'slave', store, home: run.home('ours'), keys })
  }

  {
    // Every send waits for our slave's report.
    await using theirs = await master({ brokerRole: 'SYNC_MASTER', totalReplicas: 2, inSyncReplicas: 2 })
    await using ours = await slave()
    const load = loadOf(client, theirs)
    await load.burst(300)
    expect(load.failed).toBe(0)
    await sameLog(original, copy)
    await load.burst(100, () => theirs.kill())
    expect(ours.complaints().every((line) => line.includes('not following the master'))).toBe(true)
    await ours.kill()
  }
  {
    await using ours = await slave()
    await using theirs = await master()
    const load = loadOf(client, theirs)
    await load.burst(200)
    await sameLog(original, copy)
    await load.burst(200, () => ours.kill())
    // Killed in the middle of a piece that Apache had cut anywhere, it may hold the first part of a record.
    await using again = await slave()
    await load.burst(100)
    await sameLog(original, copy)
    await theirs.stop()
    await again.stop()
    const expected = ['not following the master', 'a torn tail of the commit log was cut off']
    expect(again.complaints().filter((line) => !expected.some((words) => line.includes(words)))).toEqual([])
  }
  expect(readLog(original).end).toBeGreaterThan(3 * 2 ** 20)
  {
    await using store = await openStore(copy)
    expect(weServeAll(store, copy)).toBeGreaterThanOrEqual(740)
  }

  await using theirs = await master()
  {
    // An empty slave gets the last file of Apache's log, no more.
    const late = run.join('late')
    await using ours = await slave(late)
    await loadOf(client, theirs).burst(50)
    await sameLog(original, late)
    const { begin, end } = readLog(late)
    expect(begin).toBe(end - (end % 2 ** 20))
    await ours.stop()
  }
  flipLastByte(copy)
  await using ours = await slave()
  const said = await ours.service.lines.line(['bytes-differ'])
  expect(said).toContain('one of them must be emptied by hand')
  expect(readLog(copy).end).toBeLessThan(readLog(original).end)
})

function loadOf(client: ApacheClient, { address }: ApacheBroker): Load {
  return new Load(async (body) => {
    const { status, messageId } = await client.send(address, 'Load', { body })
    if (status !== 'SEND_OK') throw new Error(status)
    return messageId
  })
}

/** The end of the last record's properties: no checksum of Apache's covers it. */
function flipLastByte(store: string): void {
  const { end } = readLog(store)
  const start = end - 1 - ((end - 1) % 2 ** 20)
  const file = openSync(join(store, 'commitlog', String(start).padStart(20, '0')), 'r+')
  const byte = Buffer.alloc(1)
  readSync(file, byte, 0, 1, end - 1 - start)
  writeSync(file, Buffer.from([byte.readUInt8() ^ 1]), 0, 1, end - 1 - start)
  closeSync(file)
}
