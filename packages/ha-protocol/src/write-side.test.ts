import { BrokerError, type Clock, type Connection, type ConnectionHandlers } from '@tandemmq/base'
import { DownwardReader } from '@tandemmq/codec'
import type { DownwardUnit } from '@tandemmq/codec'
import { SimulatedClock } from '@tandemmq/testkit'
import { expect, test } from 'vitest'
import { MemoryLog } from './testing/memory-log.ts'
import { WriteSide, defaultWriteLimits } from './write-side.ts'

/** A socket that keeps what it is given, without a copy, and says how much of it is on its way. */
class HeldConnection implements Connection {
  readonly remote = 'held'
  queuedBytes = 0
  readonly writes: (readonly Uint8Array[])[] = []

  start(_handlers: ConnectionHandlers): void {}
  write(...parts: readonly Uint8Array[]): boolean {
    this.writes.push(parts)
    return true
  }
  pause(): void {}
  resume(): void {}
  end(): void {}
  destroy(): void {}

  get units(): readonly DownwardUnit[] {
    const reader = new DownwardReader()
    const units: DownwardUnit[] = []
    for (const parts of this.writes) {
      reader.feed(Buffer.concat(parts))
      for (let unit = reader.next(); unit !== undefined; unit = reader.next()) units.push(unit)
    }
    return units
  }
}

/** As the store: its tail lies in memory in pieces, the rest in files. */
class PiecedLog extends MemoryLog {
  pieceBytes = Infinity
  isOnFile = false

  override read(offset: number, maxBytes: number, memory?: () => Buffer): Buffer {
    const bytes = super.read(offset, Math.min(maxBytes, this.pieceBytes - (offset % this.pieceBytes)))
    if (!this.isOnFile || memory === undefined) return Buffer.from(bytes)
    const target = memory()
    bytes.copy(target)
    return target.subarray(0, bytes.length)
  }
}

function sending(frameBytesMax = defaultWriteLimits.frameBytesMax) {
  const clock = new SimulatedClock()
  const log = new PiecedLog(clock)
  const connection = new HeldConnection()
  const side = new WriteSide(
    connection,
    { log, clock },
    { ...defaultWriteLimits, frameBytesMax },
    {
      sent: () => {},
      unreadable: (words) => {
        throw new Error(words)
      },
    },
  )
  return { clock, log, connection, side }
}

function bodyOf(connection: HeldConnection): string {
  return connection.units.map((unit) => (unit.kind === 'piece' ? unit.bytes.toString() : '')).join('')
}

test('what one turn has appended goes out in it, in one frame, in however many pieces of memory it lies', async () => {
  const { clock, log, connection, side } = sending()
  log.pieceBytes = 8
  log.write(Buffer.from('0123456789abcdefghij'))
  side.start(0)
  await clock.settle()
  expect(connection.writes).toHaveLength(1)
  expect(connection.units).toMatchObject([
    { kind: 'frame', offset: 0, size: 20 },
    { kind: 'piece', offset: 0 },
  ])
  expect(bodyOf(connection)).toBe('0123456789abcdefghij')
})

test('memory that files are read into is used again only once the socket has let go of it', async () => {
  const { clock, log, connection, side } = sending(4)
  log.isOnFile = true
  log.write(Buffer.from('aaaabbbbccccdddd'))
  side.start(0)
  connection.queuedBytes = 4
  await clock.advance(1)
  expect(connection.writes).toHaveLength(4)
  expect(bodyOf(connection)).toBe('aaaabbbbccccdddd')
  // Nothing is on its way: the memory is reused, and this socket, which has copied nothing, shows it.
  connection.queuedBytes = 0
  log.write(Buffer.from('eeeeffff'))
  side.wake()
  await clock.advance(1)
  expect(bodyOf(connection)).toBe('aaaabbbbccccddddffffffff')
})

test('a confirmed position goes with the next bytes, or a moment later without', async () => {
  const { clock, log, connection, side } = sending()
  log.write(Buffer.from('one'))
  side.start(0)
  await clock.settle()
  side.confirm(3)
  await clock.settle()
  expect(connection.writes).toHaveLength(1)
  log.write(Buffer.from('two'))
  side.wake()
  await clock.settle()
  expect(connection.writes).toHaveLength(2)
  expect(connection.units.slice(2)).toMatchObject([
    { kind: 'control', control: { confirmed: 3 } },
    { kind: 'frame', offset: 3 },
    { kind: 'piece', offset: 3 },
  ])
  side.confirm(6)
  await clock.advance(5)
  expect(connection.units.slice(5)).toMatchObject([{ kind: 'control', control: { confirmed: 6 } }])
})

/** As the store, for bytes that are on file only: whoever wants them waits. */
class FiledLog extends MemoryLog {
  /** Below this everything is on file. */
  filedTo = Infinity
  problem: BrokerError | undefined
  reads = 0
  readonly #time: Clock

  constructor(clock: Clock) {
    super(clock)
    this.#time = clock
  }

  override read(offset: number, maxBytes: number): Buffer {
    if (offset < this.filedTo) throw new Error('everybody waits for a file')
    return super.read(offset, maxBytes)
  }

  async #readFile(offset: number, maxBytes: number): Promise<Buffer> {
    this.reads += 1
    await new Promise<void>((resolve) => this.#time.after(10, resolve))
    if (this.problem !== undefined) throw this.problem
    return Buffer.from(super.read(offset, maxBytes))
  }

  readLater(offset: number, maxBytes: number): Promise<Buffer> | undefined {
    return offset < this.filedTo ? this.#readFile(offset, maxBytes) : undefined
  }
}

function sendingFromFile() {
  const clock = new SimulatedClock()
  const log = new FiledLog(clock)
  const connection = new HeldConnection()
  const unreadable: string[] = []
  const limits = { ...defaultWriteLimits, frameBytesMax: 4 }
  const on = { sent: () => {}, unreadable: (words: string) => void unreadable.push(words) }
  const side = new WriteSide(connection, { log, clock }, limits, on)
  return { clock, log, connection, side, unreadable }
}

test('what is on file is read off the loop, one frame after the other, up to what is in memory', async () => {
  const { clock, log, connection, side } = sendingFromFile()
  log.write(Buffer.from('aaaabbbbcccc'))
  log.filedTo = 8
  side.start(0)
  await clock.advance(5)
  expect(connection.writes).toHaveLength(0)
  side.confirm(12)
  side.wake()
  log.write(Buffer.from('dddd'))
  await clock.advance(100)
  expect(bodyOf(connection)).toBe('aaaabbbbccccdddd')
  expect(log.reads).toBe(2)
  expect(connection.units[0]).toMatchObject({ kind: 'control', control: { confirmed: 12 } })
})

test('a file that cannot be read is reported; nobody hears of it, or of the bytes, once the side has stopped', async () => {
  const { clock, log, connection, side, unreadable } = sendingFromFile()
  log.write(Buffer.from('aaaa'))
  log.problem = new BrokerError('OFFSET_EXPIRED', 'it has expired')
  side.start(0)
  await clock.advance(20)
  expect(unreadable).toEqual(['it has expired'])
  log.problem = undefined
  side.wake()
  await clock.advance(5)
  side.stop()
  await clock.advance(20)
  expect(log.reads).toBe(2)
  expect(connection.writes).toHaveLength(0)
})
