import type { PlantedBug } from './planted-bug.ts'

const messaging = 'packages/messaging/src'
const served = `${messaging}/served-timers.test.ts`
const offers = `${messaging}/due-offers.test.ts`
const moved = 'packages/metadata/src/moved-progress.test.ts'

/** What must not become of scheduled messages that are due while their master is away (rule 5.6). */
export const timerBugs: readonly PlantedBug[] = [
  {
    name: 'what was done with a scheduled record forgotten when it is put',
    file: `${messaging}/internal-marks.ts`,
    find: '      movedTimers.move(queueOffset, place)\n',
    plant: '',
    tests: [served, 'packages/broker/src/served-timers.test.ts'],
  },
  {
    name: 'a running lease not moved to the record that was put',
    file: 'packages/metadata/src/moved-progress.ts',
    find: 'lease !== undefined && lease.attempts > 0',
    plant: 'lease !== undefined && lease.attempts > 1',
    tests: [served, moved],
  },
  {
    name: 'an acknowledgement for every group of a scheduled record, because one has it',
    file: 'packages/metadata/src/moved-progress.ts',
    find: 'if (served.isAcked(scheduled))',
    plant: 'if ([...delay.served()].some((any) => any.isAcked(scheduled)))',
    tests: [moved],
  },
  {
    name: 'what another broker has moved forgotten here, before it was moved here',
    file: 'packages/metadata/src/change-intake.ts',
    find: 'changes.filter((change) => !isOwnMatter(change))',
    plant: 'changes.slice()',
    tests: [moved],
  },
  {
    name: 'what a slave did with records that its master had put, and it had not copied, not looked for',
    file: `${messaging}/late-moves.ts`,
    find: '  const offsets = [...unmoved]\n',
    plant: '  const offsets = [...unmoved].slice(unmoved.size)\n',
    tests: [served],
  },
  {
    name: 'an internal write that was found late waits behind those that cannot be seen yet',
    file: `${messaging}/internal-effects.ts`,
    find: 'this.#waiting.findLastIndex((effect) => effect.end <= end) + 1',
    plant: 'this.#waiting.length',
    tests: [served],
  },
  {
    name: 'a handle of a scheduled record taken for it although it was put',
    file: `${messaging}/receipt-judge.ts`,
    find: 'place === undefined ? { ...handle, realTopic } : { ...handle, ...place }',
    plant: 'place === undefined ? { ...handle, ...place, realTopic } : { ...handle, realTopic }',
    tests: [served],
  },
  {
    name: 'a client that renews loses its message when that is put',
    file: `${messaging}/moved-timers.ts`,
    find: '      held.move(from, scheduled, to, place.queueOffset)\n',
    plant: '      void [from, to]\n',
    tests: [served],
  },
  {
    name: 'one that is put offered as well',
    file: `${messaging}/queue-scan.ts`,
    find: ' || delay.isDone(offset),',
    plant: ',',
    tests: [served],
  },
  {
    name: 'the next one of an orderly group offered while one is out',
    file: `${messaging}/queue-scan.ts`,
    find: '(isOrderly && (!isPassed || candidates.length > 0))',
    plant: '(isOrderly && candidates.length > 0)',
    tests: [offers],
  },
  {
    name: 'a receive not woken when a scheduled message is given up',
    file: `${messaging}/receiver.ts`,
    find: '    for (const pair of this.#polls.pairs()) if (pair.group === group)',
    plant: '    for (const pair of this.#polls.pairs()) if (pair.topic === topic)',
    tests: [offers],
  },
  {
    name: 'a slave that serves waits for its master with what is due',
    file: 'packages/broker/src/membership.ts',
    find: '    if (isServing) this.#api.offerTimers()\n    else this',
    plant: '    if (!isServing) this',
    tests: ['packages/broker/src/served-timers.test.ts'],
  },
]
