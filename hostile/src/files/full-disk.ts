import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Clients, LocalCluster, until } from '@tandemmq/interop'

const DISK_MB = 96
/** What is left to the broker once the filler lies on its disk, MB. */
const ROOM_MB = 24
const BODY = Buffer.alloc(64 * 1024, 'f').toString()

/**
 * A real cluster of one broker on a small disk that runs full while it is written to: sends are refused with words, what was acknowledged stays readable, sends go
 * on when there is room again, with no restart, and a killed broker has lost nothing afterwards. Needs root, to mount a disk of its own.
 */
export async function fullDisk(): Promise<string> {
  const mount = mkdtempSync(join(tmpdir(), 'tandemmq-full-'))
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MB}m`, 'tmpfs', mount]).status !== 0) {
    rmSync(mount, { recursive: true })
    return 'skipped: only root can mount a disk'
  }
  try {
    return await runFull(mount)
  } finally {
    spawnSync('umount', ['--lazy', mount])
    rmSync(mount, { recursive: true, force: true })
  }
}

async function runFull(mount: string): Promise<string> {
  await using cluster = await LocalCluster.start(
    ['--slaves', '0', '--replication', 'async', '--flush', 'sync'],
    join(mount, 'data'),
  )
  await using clients = new Clients(cluster)
  const producer = await clients.producer('Full')
  const acknowledged = new Set<string>()
  let sent = 0
  const send = async (): Promise<void> => {
    sent += 1
    const body = `${sent} ${BODY}`
    await producer.send({ topic: 'Full', body: Buffer.from(body) })
    acknowledged.add(String(sent))
  }
  await send()
  const { bavail, bsize } = statfsSync(mount)
  const filler = join(mount, 'filler')
  writeFileSync(filler, Buffer.alloc(Math.max(0, bavail * bsize - ROOM_MB * 2 ** 20)))

  let refusal = ''
  for (let tries = 0; refusal === '' && tries < 2000; tries += 1) {
    try {
      await send()
    } catch (failure) {
      refusal = failure instanceof Error ? failure.message : String(failure)
    }
  }
  if (!/room|disk/i.test(refusal)) throw new Error(`${sent} sent, and the refusal was: ${refusal}`)
  const whileFull = acknowledged.size
  const readWhileFull = await bodiesOf(clients, 'while-full', whileFull)
  if (readWhileFull.size < whileFull)
    throw new Error(`read ${readWhileFull.size} of ${whileFull} on a full disk`)

  rmSync(filler)
  await until('sends to go on once there is room', async () => {
    await send()
    return true
  })
  await cluster.end('broker-master')
  await cluster.restart('broker-master')
  const found = await bodiesOf(clients, 'afterwards', acknowledged.size)
  for (const body of acknowledged)
    if (!found.has(body)) throw new Error(`message ${body} was acknowledged and is lost`)
  return `refused after ${whileFull} messages: ${refusal}; all read while full; sends went on with no restart; ${found.size} after a kill`
}

/** Numbers of the messages that a new group finds; stops when there are as many as wanted, or no more come. */
async function bodiesOf(clients: Clients, group: string, wanted: number): Promise<ReadonlySet<string>> {
  const consumer = await clients.simple(group, 'Full', '*', 3_000)
  const found = new Set<string>()
  for (let empty = 0; found.size < wanted && empty < 5;) {
    const messages = await consumer.receive(16, 60_000).catch(() => [])
    empty = messages.length === 0 ? empty + 1 : 0
    for (const { body } of messages) found.add(body.toString().split(' ')[0] ?? '')
  }
  return found
}
