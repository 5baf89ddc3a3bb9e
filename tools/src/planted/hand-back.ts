import type { PlantedBug } from './planted-bug.ts'

const broker = 'packages/broker/src'
const around = `${broker}/around.test.ts`

/** What giving serving back must not do (rule 4.7). */
export const handBackBugs: readonly PlantedBug[] = [
  {
    name: 'serving taken back from a slave that holds what the master has lost',
    file: `${broker}/log-claim.ts`,
    find: '  if (end === 0) return undefined\n',
    plant: '  if (end >= 0) return undefined\n',
    tests: [around],
  },
  {
    name: 'serving taken back before what came with it is on disk',
    file: `${broker}/taking-back.ts`,
    find: '    await metadata.synced()\n    this.#merges',
    plant: '    this.#merges',
    tests: [around],
  },
  {
    name: 'serving released before the master has answered',
    file: `${broker}/hand-back.ts`,
    find: '      await this.#send(to, metadata.snapshot(), true)\n      registration.release(master)\n',
    plant: '      registration.release(master)\n      await this.#send(to, metadata.snapshot(), true)\n',
    tests: [`${broker}/hand-back.test.ts`],
  },
  {
    name: 'serving taken back around although an OK waits for the slave',
    file: `${broker}/taking-back.ts`,
    find: 'if (shortage === undefined) return\n',
    plant: 'if (shortage !== null) return\n',
    tests: [around],
  },
  {
    name: 'a hand-back that broke off half way taken as a whole one',
    file: 'packages/wire-grpc/src/metadata/metadata-service.ts',
    find: 'isWhole || claim === undefined',
    plant: 'isWhole || claim !== null',
    tests: ['packages/wire-grpc/src/registry/hand-back-passage.test.ts'],
  },
  {
    name: 'a hand-back passed on from a stranger to the set',
    file: 'packages/registry/src/hand-back-target.ts',
    find: 'member.identity === from && member.alive',
    plant: 'member.alive',
    tests: ['packages/wire-grpc/src/registry/hand-back-passage.test.ts'],
  },
]
