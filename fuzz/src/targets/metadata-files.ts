import { BrokerError } from '@tandemmq/base'
import { encodeSnapshot, type MetadataStore } from '@tandemmq/metadata'
import { claim, claimSame } from '../engine/claim.ts'
import { isSafeName } from '../engine/safe-name.ts'
import { checkedRefusal } from '../engine/refusal.ts'
import { sealedJournal } from '../seeds/sealed-journal.ts'
import type { Target, Verdict } from '../target.ts'
import { DiskWorld, type FileMap } from '../worlds/disk-world.ts'
import { metadataTemplate, openMetadata } from '../worlds/metadata-world.ts'

let template: Promise<FileMap> | undefined

/** A directory with metadata in which one file is replaced: which one says the first byte, by what the rest. */
export const metadataFiles: Target = {
  name: 'metadata-files',
  holds:
    'opening is refused with STATE_FILE_CORRUPT, or gives tables whose names are of the whitelist, and that open again to the same; with checksums of the journal made right as well',
  allocation: { baseBytes: 64 * 1024 * 1024, perInputByte: 256 },
  isCostly: true,
  async run(input) {
    template ??= metadataTemplate()
    const files = await template
    const names = [...files.keys(), 'config/topics.json', 'config/consumerOffset.json']
    const path = names[(input[0] ?? 0) % names.length] ?? ''
    const content = input.subarray(1)
    const verdict = await open(new Map([...files, [path, content]]))
    if (path.endsWith('.journal')) await open(new Map([...files, [path, sealedJournal(content)]]))
    // Without a journal, the file is where it begins: a store of Apache's.
    if (path.endsWith('.json')) await open(new Map([[path, content]]))
    return verdict
  },
}

async function open(files: FileMap): Promise<Verdict> {
  const world = new DiskWorld(files)
  const store = await opened(world)
  if (store === undefined) return 'refused'
  const known = checked(store)
  await world.clock.outcome(store.persist())
  await world.clock.outcome(store.close())
  const again = await opened(world)
  claim(again !== undefined, 'what was opened and closed opens again')
  claimSame(checked(again), known, 'it opens again to the same')
  await world.clock.outcome(again.close())
  return 'taken'
}

/** Names, which can be told apart from times that go by. */
function checked(store: MetadataStore): readonly string[] {
  encodeSnapshot(store.snapshot())
  const topics = [...store.topics.names()]
  const groups = [...store.groups.names()]
  claim(topics.every(isSafeName), `topics ${topics.join()}`)
  claim(groups.every(isSafeName), `groups ${groups.join()}`)
  claim(!('polluted' in {}), 'the prototype of objects is as it was')
  return [...topics.toSorted(), '', ...groups.toSorted()]
}

async function opened(world: DiskWorld): Promise<MetadataStore | undefined> {
  try {
    return await openMetadata(world)
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error
    checkedRefusal(
      ['STATE_FILE_CORRUPT', 'PROTOCOL_VIOLATION', 'ILLEGAL_ARGUMENT', 'CONFIG_INVALID', 'UNAVAILABLE'],
      error,
    )
    return undefined
  }
}
