import { readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { silentLogger, silentMeter } from '@tandemmq/base'
import { MetadataStore } from '@tandemmq/metadata'
import { NodeClock, NodeFiles } from '@tandemmq/platform-node'
import { expect, test } from 'vitest'
import { OwnDirectory } from './own-store.test-kit.ts'
import { verifyStore } from './verify.ts'

const JOURNAL = 'journal/progress.journal'

function findings(root: string): string[] {
  const lines: string[] = []
  verifyStore(new NodeFiles(), root, (line) => lines.push(line))
  return lines.filter((line) => line.includes(JOURNAL))
}

/** Some progress, in the journal of a store that was closed. */
async function commitProgress(root: string): Promise<void> {
  const ports = {
    files: new NodeFiles(),
    clock: new NodeClock(),
    logger: silentLogger,
    meter: silentMeter,
    log: { knowsStamp: () => true },
  }
  await using metadata = await MetadataStore.open({ root, acceptEdits: false }, ports)
  for (let queueOffset = 0; queueOffset < 20; queueOffset += 1) {
    const stamp = { logEpoch: 1, physicalOffset: queueOffset * 100 }
    const at = { group: 'G', topic: 'orders', queueId: 0 }
    metadata.commit({ kind: 'ack', ...at, records: [{ queueOffset, stamp }] })
  }
}

test('damage to the journal is told with its place; a torn end as what it is', async () => {
  using store = await OwnDirectory.closed()
  const { root } = store
  await commitProgress(root)
  expect(findings(root)).toEqual([])
  const path = join(root, JOURNAL)
  const sound = readFileSync(path)

  for (const at of [0, 5, 16, 40, sound.length >> 1]) {
    const bytes = Buffer.from(sound)
    bytes[at] = (bytes[at] ?? 0) ^ 4
    writeFileSync(path, bytes)
    expect(findings(root).join('\n'), `byte ${at}`).toMatch(
      /^problem: .* at byte \d+: the journal .* is damaged at byte/,
    )
  }
  writeFileSync(path, sound)
  truncateSync(path, sound.length - 3)
  expect(findings(root).join('\n')).toMatch(/^problem: .* the journal ends torn/)
  writeFileSync(join(root, 'abort'), '')
  expect(findings(root).join('\n')).toMatch(/^note: .* the journal ends torn/)
  expect(readFileSync(path)).toEqual(sound.subarray(0, sound.length - 3))
})
