import type { PlantedBug } from './planted-bug.ts'

const ha = 'packages/ha-protocol/src'

/** What replication, serving and progress must not do. */
export const replicationBugs: readonly PlantedBug[] = [
  {
    name: 'a report beyond the end accepted',
    file: `${ha}/master-session.ts`,
    find: '  if (position > state.next) return violated(',
    plant: '  if (position > Infinity) return violated(',
    tests: [`${ha}/master-session.test.ts`],
  },
  {
    name: 'forged eight bytes counted',
    file: `${ha}/master-session.ts`,
    find: "  const counted = config.legacySlaves === 'counted' && !config.flushRequired\n",
    plant: '  const counted = true\n',
    tests: [`${ha}/legacy-slaves.test.ts`, `${ha}/ha-strangers.test.ts`],
  },
  {
    name: 'a stranger without a hello served',
    file: `${ha}/master-session.ts`,
    find: "  if (config.legacySlaves === 'none') {\n    return hungUp(",
    plant: "  if (config.legacySlaves !== 'none') {\n    return hungUp(",
    tests: [`${ha}/ha-strangers.test.ts`, `${ha}/legacy-slaves.test.ts`],
  },
  {
    name: 'connections counted instead of identities',
    file: `${ha}/replica-table.ts`,
    find: 'this.#replicas.set(replica.peer.identity, replica)',
    plant: 'this.#replicas.set(`${replica.peer.identity}${this.#replicas.size}`, replica)',
    tests: [`${ha}/quorum.test.ts`, `${ha}/ha-refusal.test.ts`, `${ha}/ha-replication.test.ts`],
  },
  {
    name: 'a slave reports before it has appended',
    file: `${ha}/slave-session.ts`,
    find: "    effects: [{ kind: 'append', offset: piece.offset }],",
    plant: "    effects: [{ kind: 'report', position: next }, { kind: 'append', offset: piece.offset }],",
    tests: [`${ha}/slave-session.test.ts`, `${ha}/ha-replication.test.ts`],
  },
  {
    name: 'a slave reports before it has flushed',
    file: `${ha}/slave-session.ts`,
    find: "  if (state.flushFirst) return { state, effects: [{ kind: 'flush' }] }\n",
    plant: '',
    tests: [`${ha}/slave-session.test.ts`, `${ha}/ha-replication.test.ts`],
  },
  {
    name: 'a slave ahead of its master treated as in sync',
    file: `${ha}/alignment.ts`,
    find: '  if (common === slave.end) {\n',
    plant: '  if (common <= slave.end) {\n',
    tests: [`${ha}/alignment.test.ts`],
  },
  {
    name: 'an ordered cut skipped',
    file: `${ha}/alignment.ts`,
    find: "  return { kind: 'cut', at: common, ...comparison(common, master, slave) }\n",
    plant: "  return { kind: 'continue', at: common, ...comparison(common, master, slave) }\n",
    tests: [`${ha}/alignment.test.ts`],
  },
  {
    name: 'a proof of the secret not checked',
    file: `${ha}/authentication.ts`,
    find: 'return given.length === expected.length && timingSafeEqual(given, expected)',
    plant: 'return given.length === expected.length || timingSafeEqual(given, expected)',
    tests: [`${ha}/ha-refusal.test.ts`, `${ha}/ha-strangers.test.ts`],
  },
  {
    name: 'an order of a stale epoch obeyed',
    file: `${ha}/alignment.ts`,
    find: '  if (ordered <= last) {\n',
    plant: '  if (ordered < 0) {\n',
    tests: [`${ha}/alignment.test.ts`, `${ha}/slave-session.test.ts`],
  },
  {
    name: 'a call with the stamp of another epoch answered',
    file: 'packages/broker/src/serving-token.ts',
    find: '(context.servingEpoch !== undefined && context.servingEpoch !== servingEpoch)',
    plant: '(context.servingEpoch !== undefined && context.servingEpoch < 0)',
    tests: ['packages/broker/src/serving-token.test.ts'],
  },
  {
    name: 'the border of a chunk off by one',
    file: 'packages/codec/src/ha-downward-reader.ts',
    find: '{ offset: body.offset + bytes.length, left }',
    plant: '{ offset: body.offset + bytes.length + 1, left }',
    tests: ['packages/codec/src', `${ha}/ha-replication.test.ts`],
  },
  {
    name: 'OK when a message is written, not replicated',
    file: 'packages/broker/src/durability.ts',
    find: "    if (!replicated) return 'FLUSH_SLAVE_TIMEOUT'\n",
    plant: '    void replicated\n',
    tests: ['packages/broker/src/broker.test.ts'],
  },
  {
    name: 'a wait that is given up blocks the next',
    file: 'packages/base/src/frontier.ts',
    find: '      this.#waiters.splice(index, 1)\n      reject(reason)\n',
    plant: '      void reject\n',
    tests: ['packages/base/src/frontier.test.ts', 'packages/broker/src/broker.test.ts'],
  },
  {
    name: 'metadata wiped by an empty answer',
    file: 'packages/metadata/src/metadata-store.ts',
    find: '    for (const kind of present) dropped += this.#takeAll(snapshot[kind] ?? [], effects)\n',
    plant:
      '    for (const kind of present) dropped += this.#takeAll(snapshot[kind] ?? [], effects)\n    const version = { processEpoch: Number.MAX_SAFE_INTEGER, counter: 0 }\n    const topics = snapshot.topics?.length === 0 ? [...this.#state.topics.entries()] : []\n    for (const { value } of topics) this.#state.topics.delete(value.name, version)\n',
    tests: ['packages/metadata/src/metadata-store.test.ts'],
  },
  {
    name: 'older progress wins over newer',
    file: 'packages/metadata/src/queue-progress.ts',
    find: 'const limit = order < 0 ? this.#voidFrom : Number.MAX_SAFE_INTEGER',
    plant: 'const limit = Number.MAX_SAFE_INTEGER',
    tests: ['packages/metadata/src/queue-progress.test.ts'],
  },
  {
    name: 'an older delivery wins over a newer one',
    file: 'packages/metadata/src/queue-progress.ts',
    find: '    if (before && compareLeases({ ...delivery, servingEpoch }, before) <= 0) return false\n',
    plant: '',
    tests: ['packages/metadata/src/queue-progress.test.ts'],
  },
  {
    name: 'queue offsets given again after a promotion',
    file: 'packages/storage/src/message-store.ts',
    find: '    this.#session.dispatcher.drainAll()\n',
    plant: '',
    tests: ['packages/storage/src/replication.test.ts', 'packages/storage/src/message-store.test.ts'],
  },
]
