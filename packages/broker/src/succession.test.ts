import type { Appointment, RegistryAnswer } from '@tandemmq/registry'
import { SimulatedClock } from '@tandemmq/testkit'
import { expect, test } from 'vitest'
import { Succession } from './succession.ts'

const APPOINTMENT: Appointment = {
  identity: 'successor',
  epoch: 101,
  grpcAddress: 'successor:8081',
  haAddress: 'successor:10912',
  end: 1_000,
  acceptsLoss: false,
}

function answerWith(writable: boolean): RegistryAnswer {
  const successor = {
    identity: 'successor',
    role: 'master' as const,
    grpcAddress: 'successor:8081',
    haAddress: 'successor:10912',
    alive: true,
    logId: '',
    lastEpoch: 1,
    end: 1_000,
    writable,
  }
  return { sequence: 1, members: [successor], highestLogEpoch: 101, appointment: APPOINTMENT }
}

function deposed() {
  const time = new SimulatedClock()
  const said: string[] = []
  const succession = new Succession({
    clock: time,
    registration: { mayServe: () => true },
    options: { identity: 'old' },
    role: 'master',
    depose: () => said.push('deposed'),
    handOver: (_appointment, done) => {
      said.push('handed over')
      done()
    },
    begin: () => said.push('began'),
  })
  return { time, said, succession }
}

test('a deposed master hands serving over once its successor takes messages (rule 3.5)', async () => {
  const { time, said, succession } = deposed()
  succession.consider(answerWith(false))
  await time.advance(9_000)
  expect(said).toEqual(['deposed'])
  succession.consider(answerWith(true))
  await time.advance(60_000)
  expect(said).toEqual(['deposed', 'deposed', 'handed over', 'began'])
})

test('a successor that takes no messages may need it as its slave: after 10 s it begins as that (rule 3.5)', async () => {
  const { time, said, succession } = deposed()
  for (let second = 0; second < 10; second += 1) {
    succession.consider(answerWith(false))
    await time.advance(1_000)
  }
  expect(said.filter((what) => what !== 'deposed')).toEqual(['began'])
})

test('a slave begins again for another address of its master once that master says it, not for what a registry kept from earlier (rule 3.5)', () => {
  const said: string[] = []
  const known = { ...APPOINTMENT, haAddress: 'moved:10912', grpcAddress: 'moved:8081' }
  const succession = new Succession({
    clock: new SimulatedClock(),
    registration: { mayServe: () => false },
    options: { identity: 'a-slave', appointment: known },
    role: 'slave',
    depose: () => undefined,
    handOver: () => undefined,
    begin: ({ haAddress }) => said.push(haAddress),
  })
  const { members, ...fromDisk } = answerWith(true)
  succession.consider({ ...fromDisk, members: [] })
  expect(said).toEqual([])
  succession.consider({ ...fromDisk, members, appointment: known })
  expect(said).toEqual([])
  succession.consider({ ...fromDisk, members, appointment: { ...known, haAddress: 'again:10912' } })
  expect(said).toEqual(['again:10912'])
})
