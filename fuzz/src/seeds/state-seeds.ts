import { encodeAnswer, encodeChange, encodeSnapshot, decodeSnapshot } from '@tandemmq/metadata'
import { DiskWorld } from '../worlds/disk-world.ts'
import { metadataInMemory, metadataTemplate, ownChanges, usualChanges } from '../worlds/metadata-world.ts'
import { storeTemplate } from '../worlds/store-world.ts'
import { goldenFile } from './golden.ts'
import type { Seed } from './seed.ts'

/** Files as a store leaves them, and what brokers tell each other of metadata. */
export async function stateSeeds(): Promise<readonly Seed[]> {
  return [...files('store-files', await storeTemplate()), ...(await metadataSeeds())]
}

function files(target: string, template: ReadonlyMap<string, Buffer>): readonly Seed[] {
  return [...template].map(([path, bytes], index) => ({
    target,
    name: path.replaceAll('/', '.'),
    bytes: Buffer.concat([Buffer.of(index), withoutZeros(bytes)]),
  }))
}

/** Files are made long before they are full. */
function withoutZeros(bytes: Buffer): Buffer {
  let end = bytes.length
  while (end > 0 && bytes[end - 1] === 0) end -= 1
  return bytes.subarray(0, Math.min(bytes.length, end + 32))
}

async function metadataSeeds(): Promise<readonly Seed[]> {
  const target = 'metadata-changes'
  const template = await metadataTemplate()
  const seeds: Seed[] = [...files('metadata-files', template)]
  for (const [offset, name] of [
    [0, 'topics.json'],
    [1, 'consumerOffset.json'],
  ] as const) {
    const bytes = Buffer.concat([
      Buffer.of(template.size + offset),
      goldenFile(`store/files/config/${name}`).subarray(0, 60_000),
    ])
    seeds.push({ target: 'metadata-files', name: `apache-${name}`, bytes })
  }
  for (const change of [...usualChanges, ...ownChanges])
    seeds.push({ target, name: `change-${change.kind}`, bytes: encodeChange(change) })
  const store = await metadataInMemory(new DiskWorld())
  for (const change of usualChanges) store.commit(change)
  const snapshot = encodeSnapshot(store.snapshot())
  seeds.push({ target, name: 'snapshot', bytes: snapshot })
  const cursor = { processEpoch: 1, counter: 9 }
  const since = { processEpoch: 1, counter: 0 }
  const { progress = [] } = decodeSnapshot(snapshot)
  seeds.push({
    target,
    name: 'answer-with-snapshot',
    bytes: encodeAnswer({ cursor, snapshot: decodeSnapshot(snapshot), changes: [] }),
  })
  seeds.push({
    target,
    name: 'answer-with-changes',
    bytes: encodeAnswer({ cursor, since, changes: [...usualChanges, ...progress] }),
  })
  return seeds
}
