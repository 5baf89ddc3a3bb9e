import type { PlantedBug } from './planted-bug.ts'

const ha = 'packages/ha-protocol/src'
const forgottenReplica = 'packages/broker/src/forgotten-replica.test.ts'

/** What a master must tell its slaves beside the log, and what they must make of it. */
export const toldSlavesBugs: readonly PlantedBug[] = [
  {
    name: 'a slave not told that a range is the same again',
    file: `${ha}/range-verifier.ts`,
    find: '    if (isEqual === true) this.#ports.send({ equal: asked })\n',
    plant: '',
    tests: [`${ha}/range-verification.test.ts`],
  },
  {
    name: 'a difference forgotten beyond what compares as equal',
    file: `${ha}/slave-history.ts`,
    find: '        { from: Math.max(known.from, to), to: known.to },\n',
    plant: '',
    tests: [`${ha}/slave-history.test.ts`],
  },
  {
    name: 'what a slave no longer has shown as different for ever',
    file: `${ha}/slave-verification.ts`,
    find: '    this.#history.learnedEqual({ from: 0, to: this.#log.minOffset })\n',
    plant: '',
    tests: [`${ha}/range-verification.test.ts`],
  },
  {
    name: 'a slave that was away not told whom the operator has forgotten',
    file: `${ha}/write-side.ts`,
    find: 'if (forgotten.length > 0)',
    plant: 'if (forgotten.length > 1)',
    tests: [`${ha}/roster.test.ts`, forgottenReplica],
  },
  {
    name: 'a replica that is counted again still told to be forgotten',
    file: 'packages/storage/src/log-identity.ts',
    find: '      forgotten: this.forgotten.filter((gone) => gone !== identity),\n',
    plant: '',
    tests: ['packages/storage/src/position-file.test.ts', forgottenReplica],
  },
]
