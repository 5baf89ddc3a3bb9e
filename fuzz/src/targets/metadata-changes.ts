import {
  decodeAnswer,
  decodeChange,
  decodeCursor,
  decodeSnapshot,
  encodeChange,
  encodeCursor,
  encodeSnapshot,
  type Change,
  type MetadataStore,
} from '@tandemmq/metadata'
import { claim, claimSame } from '../engine/claim.ts'
import { isSafeName } from '../engine/safe-name.ts'
import { attempt } from '../engine/refusal.ts'
import type { Target } from '../target.ts'
import { DiskWorld } from '../worlds/disk-world.ts'
import { metadataInMemory } from '../worlds/metadata-world.ts'

/** What brokers tell each other of topics, groups and progress: a change, an answer, a snapshot, and a store that takes them over. */
export const metadataChanges: Target = {
  name: 'metadata-changes',
  holds:
    'refused with a typed error, or names of the whitelist and changes that encode to changes that decode to the same; applied twice is the same as once; what a store then knows can be told',
  allocation: { baseBytes: 8 * 1024 * 1024, perInputByte: 512 },
  async run(input) {
    const change = attempt(['PROTOCOL_VIOLATION', 'ILLEGAL_ARGUMENT', 'CONFIG_INVALID'], () =>
      decodeChange(input),
    )
    if ('value' in change && change.value !== undefined) check(change.value)
    const cursor = attempt(['PROTOCOL_VIOLATION'], () => decodeCursor(input))
    if ('value' in cursor)
      claimSame(decodeCursor(encodeCursor(cursor.value)), cursor.value, 'the same cursor comes back')
    const world = new DiskWorld()
    const store = await metadataInMemory(world)
    let taken = 'value' in change && change.value !== undefined
    const answer = attempt(['PROTOCOL_VIOLATION'], () => decodeAnswer(input))
    if ('value' in answer) {
      taken ||= answer.value.changes.length > 0 || Object.keys(answer.value.snapshot ?? {}).length > 0
      for (const each of answer.value.changes) check(each)
      store.applyRemote(answer.value)
      tells(store)
      store.applyRemote(answer.value)
      tells(store)
    }
    const snapshot = attempt(['PROTOCOL_VIOLATION'], () => decodeSnapshot(input))
    if ('value' in snapshot) {
      taken ||= Object.keys(snapshot.value).length > 0
      store.merge(snapshot.value)
      const once = tells(store)
      store.merge(snapshot.value)
      claim(tells(store) === once, 'merged twice is the same as once')
    }
    if ('value' in change && change.value !== undefined) {
      store.applyRemote({ cursor: { processEpoch: 1, counter: 1 }, snapshot: {}, changes: [] })
      store.applyRemote({
        cursor: { processEpoch: 1, counter: 2 },
        since: { processEpoch: 1, counter: 1 },
        changes: [change.value],
      })
      tells(store)
    }
    await world.clock.outcome(store.close())
    return taken ? 'taken' : 'refused'
  },
}

function check(change: Change): void {
  claimSame(decodeChange(encodeChange(change)), change, 'the same change comes back')
  if ('topic' in change && typeof change.topic === 'string')
    claim(isSafeName(change.topic), `topic ${change.topic}`)
  if ('group' in change && typeof change.group === 'string')
    claim(isSafeName(change.group), `group ${change.group}`)
  if (change.kind === 'topic-put') claim(isSafeName(change.topic.name), `topic ${change.topic.name}`)
}

/** What it knows, as it would be told to others, who can read it. */
function tells(store: MetadataStore): string {
  const bytes = encodeSnapshot(store.snapshot())
  const { problems } = decodeAnswer(Buffer.concat([CURSOR_FIELD, bytes]))
  claimSame(problems ?? {}, {}, 'others can read what a store knows')
  claim(!('polluted' in {}), 'the prototype of objects is as it was')
  return bytes.toString('hex')
}

/** Tag 1, two bytes: a cursor of zeros. */
const CURSOR_FIELD = Buffer.from([3, 2, 0, 0])
