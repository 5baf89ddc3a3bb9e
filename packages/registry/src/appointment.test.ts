import type { BrokerError } from '@tandemmq/base'
import { RecordingLogger, SeededRandom, SimulatedClock, SimulatedFiles } from '@tandemmq/testkit'
import { describe, expect, test } from 'vitest'
import type { Appointment } from './appointment.ts'
import { noDetails, type MemberHello, type MemberStatus } from './member.ts'
import type { PromotionRequest } from './promotion.ts'
import type { RegistryAnswer } from './registry-answer.ts'
import { Registry } from './registry.ts'
import { SetRecordsFile } from './set-record.ts'

const LOG_ID = '00112233445566778899aabbccddeeff'

const log = { logId: LOG_ID, lastEpoch: 3, end: 100 }

function helloOf(identity: string, role: 'master' | 'slave'): MemberHello {
  return {
    ...log,
    cluster: 'DefaultCluster',
    set: 'broker-a',
    identity,
    instanceId: `process-of-${identity}`,
    role,
    grpcAddress: `${identity}:8081`,
    haAddress: `${identity}:10912`,
    inSyncReplicas: 1,
    totalReplicas: 2,
    seenServingEpoch: 0,
  }
}

function appointmentOf(identity: string, epoch: number): Appointment {
  return {
    identity,
    epoch,
    grpcAddress: `${identity}:8081`,
    haAddress: `${identity}:10912`,
    end: 100,
    acceptsLoss: false,
  }
}

const status: MemberStatus = {
  ...log,
  sequence: 1,
  flushed: 100,
  confirmed: 100,
  dispatched: 100,
  writable: true,
  diskFull: false,
  details: noDetails,
}

/** A registry that keeps its records on a disk, and can be started again. */
class Office {
  readonly clock = new SimulatedClock()
  readonly logger = new RecordingLogger()
  readonly files: SimulatedFiles
  registry: Registry
  #sequence = 0

  constructor(syncMs = 2) {
    const random = new SeededRandom(1)
    this.files = new SimulatedFiles({ clock: this.clock, random, syncMs: { min: syncMs, max: syncMs } })
    this.files.makeDirectory('/data')
    this.registry = this.#started()
  }

  #started(): Registry {
    const records = SetRecordsFile.open(this.files, '/data', this.logger)
    return new Registry({}, { clock: this.clock, logger: this.logger, records })
  }

  restart(): void {
    this.registry.close()
    this.registry = this.#started()
  }

  /** What the next start would find. */
  get onDisk(): Appointment | undefined {
    return SetRecordsFile.open(this.files, '/data', this.logger).all[0]?.appointment
  }

  async open(identity: string, role: 'master' | 'slave', fields: Partial<MemberHello> = {}) {
    const answers: RegistryAnswer[] = []
    const closed: BrokerError[] = []
    const session = this.registry.open(
      { ...helloOf(identity, role), ...fields },
      (answer) => answers.push(answer),
      (why) => closed.push(why),
    )
    await this.clock.advance(10)
    const say = async (said: Partial<MemberStatus> = {}): Promise<void> => {
      await this.clock.advance(10)
      session.send({ ...status, sequence: ++this.#sequence, ...said })
      await this.clock.advance(10)
    }
    return {
      closed,
      say,
      close: () => session.close(),
      get told() {
        return answers.at(-1)
      },
    }
  }

  promote(request: Partial<PromotionRequest> = {}) {
    return this.registry.promote({ set: 'broker-a', oldMasterIsOff: false, acceptLoss: false, ...request })
  }
}

test('there is no set to promote in that nobody has ever registered for; one whose members are away is refused with words', async () => {
  const office = new Office()
  await expect(office.promote()).rejects.toMatchObject({
    code: 'SET_NOT_FOUND',
    message: 'there is no broker set broker-a',
  })
  await office.open('master', 'master')
  await office.clock.advance(100)
  office.restart()
  await expect(office.promote()).rejects.toMatchObject({
    code: 'PROMOTION_REFUSED',
    message: 'no broker of broker-a has registered here',
  })
})

describe('the appointment', () => {
  test('that could not be written down is told to nobody, stays decided, and holds once it is tried again', async () => {
    const office = new Office()
    const master = await office.open('master', 'master')
    const slave = await office.open('slave', 'slave')
    const another = await office.open('another', 'slave')
    office.files.fail({ call: 'dataSync', code: 'EIO', nth: 1 })
    const failed = expect(office.promote({ to: 'slave' })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringMatching(
        /^\/data\/registry cannot be written: .*; the set takes no messages until this promotion is asked for again and succeeds$/,
      ),
    })
    await office.clock.advance(10)
    for (const member of [slave, another, master]) await member.say({ writable: false })
    const number = master.told?.stepDown
    expect(number).toBeDefined()
    await master.say({ writable: false, ...(number !== undefined && { steppedDown: number }) })
    await failed
    for (const member of [master, slave, another]) expect(member.told?.appointment).toBeUndefined()
    expect(master.told?.stepDown, 'it takes no messages while nobody knows what is on disk').toBe(number)
    expect(office.onDisk).toBeUndefined()

    // Whatever is asked for now: the first decision may be on disk.
    const again = office.promote({ to: 'another' })
    await expect(office.promote({ to: 'slave' })).rejects.toMatchObject({ code: 'PROMOTION_REFUSED' })
    const done = await office.clock.outcome(again)
    expect(done).toMatchObject({ master: 'slave', epoch: 103 })
    expect(office.onDisk).toEqual(appointmentOf('slave', 103))
    for (const member of [master, slave, another]) {
      expect(member.told?.appointment).toEqual(appointmentOf('slave', 103))
    }
    expect(master.told?.stepDown).toBeUndefined()
  })

  test('that could not be written down keeps a master that comes back meanwhile from taking messages', async () => {
    const office = new Office()
    const slave = await office.open('slave', 'slave')
    office.files.fail({ call: 'dataSync', code: 'EIO', nth: 1 })
    const failed = expect(office.promote({ oldMasterIsOff: true })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    })
    await slave.say()
    await failed
    const back = await office.open('master', 'master')
    await back.say()
    expect(back.told?.stepDown).toBeDefined()
  })

  test('waits until the slave has on disk what the old master was the last to hold', async () => {
    const office = new Office()
    const master = await office.open('master', 'master')
    const slave = await office.open('slave', 'slave')
    const promotion = office.promote()
    await office.clock.advance(10)
    await slave.say({ flushed: 60 })
    await master.say()
    await master.say({ writable: false, steppedDown: master.told?.stepDown ?? 0 })
    expect(office.onDisk).toBeUndefined()
    await slave.say({ flushed: 100 })
    await office.clock.outcome(promotion)
    expect(office.onDisk).toMatchObject({ identity: 'slave' })
  })

  test('may be given back to a deposed master whose successor is gone', async () => {
    const office = new Office()
    const slave = await office.open('slave', 'slave')
    const first = office.promote({ oldMasterIsOff: true })
    await slave.say()
    await office.clock.outcome(first)
    const deposed = await office.open('master', 'master')
    slave.close()
    await office.clock.advance(10)
    const second = office.promote({ to: 'master', oldMasterIsOff: true })
    await deposed.say()
    await expect(office.clock.outcome(second)).resolves.toMatchObject({ master: 'master', epoch: 203 })
  })

  test('is on disk before anybody hears of it', async () => {
    const office = new Office(100)
    const slave = await office.open('slave', 'slave')
    const promotion = office.promote({ oldMasterIsOff: true })
    await slave.say()
    await office.clock.runUntil(() => slave.told?.appointment !== undefined)
    office.files.crash()
    expect(office.onDisk).toEqual(appointmentOf('slave', 103))
    await office.clock.outcome(promotion)
  })

  test('holds over a restart of the registry: who was deposed is told so with the first answer, and the next one is above it', async () => {
    const office = new Office()
    const before = await office.open('slave', 'slave')
    const promotion = office.promote({ oldMasterIsOff: true })
    await before.say()
    await office.clock.outcome(promotion)

    office.restart()
    const deposed = await office.open('master', 'master')
    await deposed.say()
    expect(deposed.told?.appointment).toEqual(appointmentOf('slave', 103))
    expect(deposed.told?.members).toMatchObject([{ identity: 'master', role: 'slave', writable: false }])
    expect(office.registry.view.set('broker-a')?.writable).toBeUndefined()

    const back = await office.open('third', 'slave')
    const second = office.promote({ oldMasterIsOff: true, acceptLoss: true })
    for (const member of [deposed, back]) await member.say()
    await expect(office.clock.outcome(second)).resolves.toMatchObject({ master: 'third', epoch: 203 })
  })

  test("that a registry has lost is relearned from a broker's hello, kept, and told to the others", async () => {
    const office = new Office()
    const deposed = await office.open('master', 'master')
    await deposed.say()
    expect(office.registry.view.set('broker-a')?.writable).toMatchObject({ identity: 'master' })
    const appointment = appointmentOf('slave', 103)
    await office.open('slave', 'master', { appointment, lastEpoch: 103 })
    expect(deposed.told?.appointment).toEqual(appointment)
    expect(deposed.told?.members).toMatchObject([
      { identity: 'master', role: 'slave' },
      { identity: 'slave', role: 'master' },
    ])
    expect(office.onDisk).toEqual(appointment)
  })

  test.each([
    ['first', [appointmentOf('one', 103), appointmentOf('two', 203)]],
    ['last', [appointmentOf('two', 203), appointmentOf('one', 103)]],
  ] as const)(
    'of two that brokers claim the one with the higher epoch wins, and the other broker is told (the lower speaks %s)',
    async (_when, claims) => {
      const office = new Office()
      const members = []
      for (const appointment of claims) {
        const { identity, epoch } = appointment
        members.push(await office.open(identity, 'master', { appointment, lastEpoch: epoch }))
      }
      for (const member of members) {
        await member.say()
        expect(member.closed).toEqual([])
        expect(member.told?.appointment).toEqual(appointmentOf('two', 203))
        expect(member.told?.members.map(({ identity, role }) => `${identity} ${role}`)).toEqual([
          'one slave',
          'two master',
        ])
      }
      expect(office.onDisk).toEqual(appointmentOf('two', 203))
    },
  )

  test('relearned while the disk cannot be written is in force at once, the failure is told, and it is written as soon as it can be', async () => {
    const office = new Office()
    office.files.fail({ call: 'dataSync', code: 'EIO', nth: 1 })
    const appointment = appointmentOf('slave', 103)
    const slave = await office.open('slave', 'master', { appointment, lastEpoch: 103 })
    expect(slave.told?.appointment).toEqual(appointment)
    expect(office.logger.messages('error')).toEqual(['what is known of this broker set cannot be kept'])
    expect(office.onDisk).toBeUndefined()
    for (let beat = 0; beat < 12; beat += 1) {
      await slave.say()
      await office.clock.advance(480)
    }
    expect(office.onDisk).toEqual(appointment)
    expect(office.logger.messages('error')).toHaveLength(1)
  })

  test('that cannot be one is not believed: the broker is refused by name, and nothing is kept', async () => {
    const office = new Office()
    const claims: readonly (readonly [Partial<Appointment>, string])[] = [
      [{ identity: '../etc' }, 'appointed master'],
      [{ epoch: Number.MAX_SAFE_INTEGER }, 'out of range'],
      [{ grpcAddress: 'nowhere' }, 'gRPC address of the appointed master'],
      [{ haAddress: '' }, 'HA address of the appointed master'],
    ]
    for (const [wrong, words] of claims) {
      const appointment = { ...appointmentOf('slave', 103), ...wrong }
      const { closed } = await office.open('slave', 'master', { appointment })
      expect(closed[0]?.message).toContain(words)
    }
    expect(office.files.list('/data')).toEqual([])
  })
})
