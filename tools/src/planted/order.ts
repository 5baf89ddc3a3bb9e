import type { PlantedBug } from './planted-bug.ts'

const messaging = 'packages/messaging/src'

/** What groups that want their messages in order must not be done to, whoever serves. */
export const orderBugs: readonly PlantedBug[] = [
  {
    name: 'an orderly delivery leaves without waiting for the slaves that watch',
    file: `${messaging}/receiver.ts`,
    find: '    const isKnown = await witnesses.acknowledged()\n',
    plant: '    const isKnown = true\n',
    tests: [`${messaging}/orderly-leases.test.ts`],
  },
  {
    name: 'the same, in a simulated life',
    file: `${messaging}/receiver.ts`,
    find: '    const isKnown = await witnesses.acknowledged()\n',
    plant: '    const isKnown = true\n',
    tests: ['simulation/src/regression.test.ts'],
  },
  {
    name: 'a delivery that was not acknowledged in time made all the same',
    file: `${messaging}/receiver.ts`,
    find: 'if (!isKnown || poll.isOver',
    plant: 'if (poll.isOver',
    tests: [`${messaging}/orderly-leases.test.ts`],
  },
  {
    name: 'an announcement counted as a delivery',
    file: `${messaging}/orderly-offers.ts`,
    find: 'attempt: attempts, deliveredAt, invisibleMs })',
    plant: 'attempt: attempts + 1, deliveredAt, invisibleMs })',
    tests: [`${messaging}/orderly-leases.test.ts`],
  },
  {
    name: 'what was announced stays when serving ends',
    file: `${messaging}/receiver.ts`,
    find: '    this.#parts.offers.withdrawAll()\n',
    plant: '',
    tests: [`${messaging}/orderly-leases.test.ts`],
  },
  {
    name: 'a queue open to all that this process remembers of it',
    file: `${messaging}/orderly-take.ts`,
    find: 'if (progress.hasInvisible(floor, this.#clock.monotonic(), queue.aside)) {',
    plant:
      'if ((queue.order?.offsets ?? [floor]).some((at) => (progress.lease(at)?.invisibleUntil ?? 0) > this.#clock.monotonic())) {',
    tests: [`${messaging}/orderly-leases.test.ts`],
  },
  {
    name: 'what was acknowledged comes again in order, behind what cannot be had',
    file: `${messaging}/queue-scan.ts`,
    find: '      if (look.hasNothing) offset = look.progress.firstUnacked(offset)\n',
    plant: '',
    tests: [`${messaging}/expired-progress.test.ts`],
  },
  {
    name: 'a slave that is late counts again at once',
    file: 'packages/metadata/src/watchers.ts',
    find: '{ lastsMs, since: now, until: now + lastsMs, isAway: true }',
    plant: '{ lastsMs, since: now, until: now, isAway: true }',
    tests: ['packages/metadata/src/watchers.test.ts'],
  },
  {
    name: 'a slave that is late still waited for',
    file: 'packages/metadata/src/watchers.ts',
    find: '    this.#left(watch)\n    this.#lateCounter.add()\n',
    plant: '    this.#lateCounter.add()\n',
    tests: ['packages/metadata/src/watchers.test.ts'],
  },
  {
    name: 'a read-only copy of the metadata waited for',
    file: 'packages/metadata/src/watchers.ts',
    find: 'if (applied === undefined || !isReplica) return false',
    plant: 'if (applied === undefined && !isReplica) return false',
    tests: ['packages/metadata/src/watchers.test.ts'],
  },
  {
    name: 'a slave that was late told to be back with each watch',
    file: 'packages/metadata/src/watchers.ts',
    find: '    probation.isAway = false\n',
    plant: '',
    tests: ['packages/metadata/src/watchers.test.ts'],
  },
]
