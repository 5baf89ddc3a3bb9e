import { expect, test } from 'vitest'
import { ServingHistory, type Absence, type HandBack, type Repeat } from './serving-history.ts'

const grants = [
  { epoch: 30, holder: 'master', at: 3_000 },
  { epoch: 10, holder: 'master', at: 1_000 },
  { epoch: 20, holder: 'slave', at: 2_000 },
]
const handBack: HandBack = { from: 'slave', to: 'master', at: 2_900 }

interface Logged {
  readonly handBacks?: readonly HandBack[]
  readonly absences?: readonly Absence[]
  readonly lostPowerAt?: number
}

type Epochs = readonly [
  readonly [epoch: number, ackedAt: number],
  readonly [epoch: number, deliveredAt: number],
]

function mustKnow(...[acked, again, logged = {}]: readonly [...Epochs, Logged?]): boolean {
  return historyOf(logged).mustKnow(repeatOf([acked, again], 0))
}

/** Whether the slave may lack what the master took at `ackedAt`, when it serves after a misfortune of `struckAt`. */
function mayLack(ackedAt: number, struckAt: number, ...absences: readonly Absence[]): boolean {
  return historyOf({ absences }).mayLack(
    repeatOf(
      [
        [10, ackedAt],
        [20, struckAt + 100],
      ],
      struckAt,
    ),
  )
}

function historyOf({ handBacks = [], absences = [], lostPowerAt }: Logged): ServingHistory {
  const lost = new Map(lostPowerAt === undefined ? [] : [['master', lostPowerAt]])
  return new ServingHistory({ grants, handBacks, absences, lostPowerAt: lost })
}

function repeatOf([[epoch, ackedAt], [again, deliveredAt]]: Epochs, struckAt: number): Repeat {
  const delivery = { number: 1, queueId: 0, queueOffset: 0, attempt: 2, deliveredAt, epoch: again }
  return { delivery, epoch, ackedAt, struckAt }
}

test('who took an acknowledgement itself knows it, unless its power was cut since', () => {
  expect(mustKnow([10, 1_500], [30, 3_500])).toBe(true)
  expect(mustKnow([10, 1_500], [30, 3_500], { lostPowerAt: 1_400 })).toBe(true)
  expect(mustKnow([10, 1_500], [30, 3_500], { lostPowerAt: 1_600 })).toBe(false)
})

test('another one knows what was acknowledged before everything was handed to it', () => {
  expect(mustKnow([20, 2_500], [30, 3_500])).toBe(false)
  expect(mustKnow([20, 2_500], [30, 3_500], { handBacks: [handBack] })).toBe(true)
  expect(mustKnow([20, 2_950], [30, 3_500], { handBacks: [handBack] })).toBe(false)
  expect(mustKnow([20, 2_500], [30, 2_800], { handBacks: [handBack] })).toBe(false)
  expect(mustKnow([10, 1_500], [20, 2_500], { handBacks: [handBack] })).toBe(false)
})

test('where two may have taken it, nobody must know', () => {
  expect(mustKnow([10, 2_500], [30, 3_500], { handBacks: [handBack] })).toBe(false)
})

test('a slave may lack what was acknowledged since the misfortune, or too shortly before it', () => {
  expect(mayLack(99_600, 100_000)).toBe(true)
  expect(mayLack(99_400, 100_000)).toBe(false)
  expect(mayLack(99_400, Infinity), 'there was no misfortune').toBe(false)
})

test('rule 5.8: a slave that was hung up on and is not back may lack what was acknowledged since', () => {
  const away: Absence = { slave: 'slave', master: 'master', since: 99_700, until: undefined }
  expect(mayLack(99_300, 100_000, away)).toBe(true)
  expect(mayLack(99_100, 100_000, away)).toBe(false)
  expect(mayLack(99_300, 100_000, { ...away, until: 100_300 }), 'back when it was too late').toBe(true)

  expect(mayLack(99_300, 100_000, { ...away, until: 99_900 }), 'it was back').toBe(false)
  expect(mayLack(99_300, 100_000, { ...away, slave: 'other' }), 'another slave was away').toBe(false)
  expect(mayLack(99_300, 100_000, { ...away, master: 'other' }), 'not from who took it').toBe(false)
  expect(mayLack(99_300, 99_650, away), 'hung up on afterwards').toBe(true)
  expect(mayLack(99_100, 99_650, away), 'hung up on afterwards').toBe(false)
})

test('a slave that is away asks for everything every 10 s all the same', () => {
  const away: Absence = { slave: 'slave', master: 'master', since: 80_000, until: undefined }
  expect(mayLack(89_600, 100_000, away)).toBe(true)
  expect(mayLack(89_400, 100_000, away)).toBe(false)
})

test('who was hung up on by an earlier process of the master is not away from this one', () => {
  const away: Absence = { slave: 'slave', master: 'master', since: 900, until: undefined }
  expect(mayLack(1_100, 1_700, away)).toBe(false)
  expect(mayLack(1_100, 1_700, { ...away, since: 1_050 })).toBe(true)
})
