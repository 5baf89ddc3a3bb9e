import type { PlannedFailure } from '@tandemmq/testkit'
import type { Matrix } from '../matrix.ts'
import { allowedFor } from './allowed-verdicts.ts'
import { history } from './broker-stores.ts'
import { harmEveryByte, knowledgeIn, type Harm, type Tally } from './damaged-bytes.ts'
import { failingRun } from './failing-disk.ts'
import { fewDescriptors } from './few-descriptors.ts'
import { fullDisk } from './full-disk.ts'

/** Every byte of every state file; of the log and the checkpoint so many, spread evenly. */
const every = { placesMax: 600, allBits: true }

const plans: readonly (readonly [PlannedFailure['call'], PlannedFailure['code']])[] = [
  ['write', 'ENOSPC'],
  ['truncate', 'ENOSPC'],
  ['rename', 'ENOSPC'],
  ['dataSync', 'ENOSPC'],
  ['dataSync', 'EIO'],
  ['syncDirectory', 'EIO'],
  ['open', 'EMFILE'],
]

/** Bytes of every file, every call to the disk, and two real processes on a disk and a machine that have run out. */
export async function files(matrix: Matrix): Promise<void> {
  await realRows(matrix)
  const image = await history('closed')
  const before = await knowledgeIn(image)
  for (const file of image.keys()) {
    for (const harm of ['truncate', 'flip'] as const satisfies readonly Harm[]) {
      const attack = harm === 'truncate' ? 'cut off at every byte' : 'every bit flipped'
      await matrix.row({ target: file, attack, expected: allowedFor(file).join(' or ') }, async () => {
        const tally = await harmEveryByte(image, file, harm, before, every)
        const odd = Object.keys(tally).filter(
          (verdict) => !allowedFor(file).some((allowed) => allowed === verdict),
        )
        if (odd.length > 0) throw new Error(`also ${odd.join()}: ${wordsOf(tally)}`)
        return wordsOf(tally)
      })
    }
  }
  for (const [call, code] of plans) {
    for (const forever of [false, true]) {
      const attack = `${code} at the n-th call${forever ? ' and all behind' : ''}, for every n`
      const expected = 'typed; nothing acknowledged is lost; a new process goes on'
      await matrix.row({ target: `disk: ${call}`, attack, expected }, async () => {
        let nth = 1
        while ((await failingRun(image, { call, code, nth, forever })).hasFailed) nth += 1
        return `${nth - 1} runs`
      })
    }
  }
}

async function realRows(matrix: Matrix): Promise<void> {
  const full = {
    target: 'broker-master on a disk of its own',
    attack: 'the disk runs full, then has room again',
  }
  const healed = 'refused with words; all readable; heals with no restart; nothing lost'
  await matrix.row({ ...full, expected: healed }, fullDisk)
  const few = { target: 'broker-master with 2,000 queues', attack: 'ulimit -n 256' }
  await matrix.row({ ...few, expected: 'starts and serves' }, fewDescriptors)
}

function wordsOf(tally: Tally): string {
  return Object.entries(tally)
    .map(([verdict, count]) => `${verdict} ${count}`)
    .join(', ')
}
