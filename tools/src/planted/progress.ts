import type { PlantedBug } from './planted-bug.ts'

const whoDecides = 'packages/broker/src/who-decides.test.ts'
const settlingWrites = 'packages/metadata/src/settling-writes.test.ts'

/** What brokers know of consumers, and what becomes of it when the log is cut, copied and served by another one. */
export const progressBugs: readonly PlantedBug[] = [
  {
    name: 'metadata wiped by an empty answer',
    file: 'packages/metadata/src/metadata-store.ts',
    find: '    return this.#followed.apply(answer)\n',
    plant:
      '    const version = { processEpoch: Number.MAX_SAFE_INTEGER, counter: 0 }\n    const topics = answer.snapshot?.topics?.length === 0 ? [...this.#state.topics.entries()] : []\n    for (const { value } of topics) this.#state.topics.delete(value.name, version)\n    return this.#followed.apply(answer)\n',
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
    name: 'progress of messages lost with the end of a log counted for those that took their offsets',
    file: 'packages/broker/src/log-knowledge.ts',
    find: 'store.epochAt(physicalOffset) === logEpoch',
    plant: 'store.epochAt(physicalOffset) > 0',
    tests: ['packages/broker/src/log-knowledge.test.ts', 'simulation/src/regression.test.ts'],
  },
  {
    name: 'what a deposed master knew of records that were cut from its log kept',
    file: 'packages/metadata/src/metadata-store.ts',
    find: 'if (changes.length === 0) return 0',
    plant: 'if (changes.length >= 0) return 0',
    tests: ['packages/metadata/src/diverged-progress.test.ts', 'simulation/src/regression.test.ts'],
  },
  {
    name: 'what a log copies again below the new epoch forgotten, since it is not there yet',
    file: 'packages/broker/src/log-knowledge.ts',
    find: 'store.dispatched.at < next.start',
    plant: 'store.dispatched.at < 0',
    tests: ['packages/broker/src/log-knowledge.test.ts'],
  },
  {
    name: 'what was acknowledged under a foreign epoch counted for records of the own one',
    file: 'packages/broker/src/log-knowledge.ts',
    find: 'if (!epochs.some(({ epoch }) => epoch === logEpoch)) return NOTHING_HELD',
    plant: 'if (epochs.length === 0) return NOTHING_HELD',
    tests: ['packages/broker/src/acknowledged-histories.test.ts'],
  },
  {
    name: 'what a cut has left of a queue without a mark, so that the next cut takes nothing of it',
    file: 'packages/metadata/src/diverged-progress.ts',
    find: 'end, ...(last && { last })',
    plant: 'end',
    tests: ['packages/broker/src/acknowledged-histories.test.ts'],
  },
  {
    name: 'what is acknowledged of the records that are here not counted by who begins to serve',
    file: 'packages/broker/src/membership.ts',
    find: 'if (epoch !== undefined) this.#self.metadata.countHeld()',
    plant: 'if (epoch === 0) this.#self.metadata.countHeld()',
    tests: ['packages/broker/src/half-copied.test.ts'],
  },
  {
    name: 'what waits for bytes of the own log not told to whoever has them',
    file: 'packages/metadata/src/metadata-store.ts',
    find: ', this.#intake.waiting())',
    plant: ')',
    tests: ['packages/metadata/src/metadata-store.test.ts', 'simulation/src/regression.test.ts'],
  },
  {
    name: 'what another lineage has lost not forgotten any more once that has failed',
    file: 'packages/broker/src/replicated-store.ts',
    find: 'this.#owesLineage ||= ',
    plant: 'this.#owesLineage = ',
    tests: ['packages/broker/src/replicated-store.test.ts'],
  },
  {
    name: 'what internal writes settled kept although a cut took them',
    file: 'packages/metadata/src/diverged-progress.ts',
    find: 'if (lost.length === 0) return []',
    plant: 'if (lost.length >= 0) return []',
    tests: [settlingWrites],
  },
  {
    name: 'what internal writes settled believed before these are copied',
    file: 'packages/metadata/src/settling-gate.ts',
    find: 'of [...waiting, ...this.#contradicting]',
    plant: 'of [...waiting.slice(waiting.length), ...this.#contradicting]',
    tests: [settlingWrites, 'packages/broker/src/cut-settlements.test.ts'],
  },
  {
    name: 'told without the internal writes that settled it',
    file: 'packages/metadata/src/queue-progress.ts',
    find: '      ...(settling && { settling }),\n',
    plant: '',
    tests: ['packages/broker/src/cut-settlements.test.ts', 'simulation/src/regression.test.ts'],
  },
  {
    name: 'an epoch opened within an internal write, and what that settled kept',
    file: 'packages/metadata/src/metadata-store.ts',
    find: '    for (const change of changes) this.#changes.take(change)\n    return beyond',
    plant: '    return beyond',
    tests: [settlingWrites],
  },
  {
    name: 'leases and attempts kept over a reset that comes from another broker',
    file: 'packages/metadata/src/queue-progress.ts',
    find: '      this.#adopt(state.generation, state.voidFrom)\n      this.#inFlight.clear()\n',
    plant: '      this.#adopt(state.generation, Math.max(state.voidFrom, this.end))\n',
    tests: [whoDecides],
  },
]
