import { BrokerError } from '@tandemmq/base'
import {
  FieldReader,
  RangeSet,
  isJsonObject,
  parseApacheJson,
  type JsonObject,
  type Range,
  type RecordStamp,
} from '@tandemmq/codec'
import type {
  AckedRecord,
  Change,
  Delivery,
  LeaseState,
  Mark,
  QueueKey,
  SettledBy,
  Settling,
} from './change.ts'
import { CHANGE_TAGS } from './change-tags.ts'
import type { Cursor } from './cursor.ts'
import { GENERATION_ZERO, type Generation } from './generation.ts'
import { groupFromJson } from './group-config.ts'
import { checkedGroupName, checkedTopicName } from './checked-names.ts'
import { topicFromJson } from './topic-config.ts'

/**
 * Reads what `encodeChange` wrote, here or in a newer version. Names are checked against the whitelist, numbers against
 * 2^53, lengths against what is there. Undefined for a kind of change that we do not know.
 * Throws `PROTOCOL_VIOLATION`, `ILLEGAL_ARGUMENT` or `CONFIG_INVALID`.
 */
export function decodeChange(bytes: Buffer): Change | undefined {
  const reader = new FieldReader(bytes, 'change')
  const tag = reader.varint()
  const fields = new ChangeFields(reader)
  switch (tag) {
    case CHANGE_TAGS['topic-put']:
      return { kind: 'topic-put', topic: topicFromJson(fields.json()), ...fields.version() }
    case CHANGE_TAGS['topic-delete']:
      return {
        kind: 'topic-delete',
        name: checkedTopicName(fields.text(1)),
        ...fields.version(),
        ...fields.generation(3),
      }
    case CHANGE_TAGS['group-put']:
      return { kind: 'group-put', group: groupFromJson(fields.json()), ...fields.version() }
    case CHANGE_TAGS['group-delete']:
      return {
        kind: 'group-delete',
        name: checkedGroupName(fields.text(1)),
        ...fields.version(),
        ...fields.generation(3),
      }
    case CHANGE_TAGS.lease:
      return {
        kind: 'lease',
        ...fields.key(),
        ...fields.generation(4),
        servingEpoch: fields.number(5),
        deliveries: fields.list(6).map(readDelivery),
      }
    case CHANGE_TAGS.visibility: {
      const [delivery] = fields.list(6).map(readDelivery)
      if (delivery === undefined) throw missing('delivery')
      return {
        kind: 'visibility',
        ...fields.key(),
        ...fields.generation(4),
        servingEpoch: fields.number(5),
        delivery,
      }
    }
    case CHANGE_TAGS.ack:
      return {
        kind: 'ack',
        ...fields.key(),
        ...fields.generation(4),
        records: fields.list(6).map(readRecord),
      }
    case CHANGE_TAGS.delay:
      return { kind: 'delay', ...fields.generation(4), done: fields.list(6).map(readRecord) }
    case CHANGE_TAGS.reset:
      return { kind: 'reset', ...fields.key(), generation: fields.neededGeneration(), to: fields.number(5) }
    case CHANGE_TAGS.cut:
      return { kind: 'cut', generation: fields.neededGeneration(), ends: fields.list(5).map(readEnd) }
    case CHANGE_TAGS['delay-levels']:
      return { kind: 'delay-levels', levels: fields.list(1).flatMap(readLevels) }
    case CHANGE_TAGS.progress:
      return {
        kind: 'progress',
        ...fields.key(),
        generation: fields.neededGeneration(),
        voidFrom: fields.number(5),
        acked: readRanges(fields.list(6)),
        marks: fields.list(7).map(readMark),
        leases: fields.list(8).map(readLease),
        ...readSettling(fields),
      }
    case CHANGE_TAGS.diverged: {
      const [last] = fields.list(7).map(readMark)
      return { kind: 'diverged', ...fields.key(), end: fields.number(5), ...(last && { last }) }
    }
    case CHANGE_TAGS.unsettled:
      return { kind: 'unsettled', ...fields.key(), offsets: readRanges(fields.list(6)) }
    case CHANGE_TAGS.moved:
      return { kind: 'moved', from: fields.number(1), to: fields.number(2) }
    default:
      return undefined
  }
}

/** The fields of one change, in whatever order they came. */
class ChangeFields {
  readonly #numbers = new Map<number, number>()
  readonly #lists = new Map<number, Buffer[]>()

  constructor(reader: FieldReader) {
    while (reader.next()) {
      if (!reader.isBytes) {
        this.#numbers.set(reader.tag, reader.number())
        continue
      }
      const list = this.#lists.get(reader.tag)
      if (list === undefined) this.#lists.set(reader.tag, [reader.bytes()])
      else list.push(reader.bytes())
    }
  }

  number(tag: number): number {
    const value = this.#numbers.get(tag)
    if (value === undefined) throw missing(`field ${tag}`)
    return value
  }

  optional(tag: number): number | undefined {
    return this.#numbers.get(tag)
  }

  text(tag: number): string {
    const value = this.#lists.get(tag)?.[0]
    if (value === undefined) throw missing(`field ${tag}`)
    return value.toString('utf8')
  }

  list(tag: number): FieldReader[] {
    return (this.#lists.get(tag) ?? []).map((bytes) => new FieldReader(bytes, `field ${tag} of a change`))
  }

  pair(tag: number): readonly [number, number] | undefined {
    const [reader] = this.list(tag)
    return reader && [reader.varint(), reader.varint()]
  }

  json(): JsonObject {
    const json = parseApacheJson(this.text(1))
    if (!isJsonObject(json))
      throw new BrokerError('PROTOCOL_VIOLATION', 'a change holds JSON that is no object')
    return json
  }

  key(): QueueKey {
    return {
      group: checkedGroupName(this.text(1)),
      topic: checkedTopicName(this.text(2)),
      queueId: this.number(3),
    }
  }

  version(): { version?: Cursor } {
    const pair = this.pair(2)
    return pair ? { version: { processEpoch: pair[0], counter: pair[1] } } : {}
  }

  generation(tag: number): { generation?: Generation } {
    const pair = this.pair(tag)
    return pair ? { generation: { servingEpoch: pair[0], counter: pair[1] } } : {}
  }

  neededGeneration(): Generation {
    return this.generation(4).generation ?? GENERATION_ZERO
  }

  stamp(tag: number): RecordStamp {
    const pair = this.pair(tag)
    if (pair === undefined) throw missing('stamp')
    return { logEpoch: pair[0], physicalOffset: pair[1] }
  }
}

function readDelivery(reader: FieldReader): Delivery {
  return deliveryIn(new ChangeFields(reader))
}

function readLease(reader: FieldReader): LeaseState {
  const fields = new ChangeFields(reader)
  return { ...deliveryIn(fields), servingEpoch: fields.number(7), attempts: fields.number(8) }
}

function deliveryIn(fields: ChangeFields): Delivery {
  const remainingMs = fields.optional(6)
  return {
    queueOffset: fields.number(1),
    stamp: fields.stamp(2),
    attempt: fields.number(3),
    deliveredAt: fields.number(4),
    invisibleMs: fields.number(5),
    ...(remainingMs === undefined ? {} : { remainingMs }),
  }
}

function readRecord(reader: FieldReader): AckedRecord {
  const fields = new ChangeFields(reader)
  const from = fields.optional(3)
  const after = fields.pair(4)
  return {
    queueOffset: fields.number(1),
    stamp: fields.stamp(2),
    ...(from === undefined ? {} : { from }),
    ...(after ? { after: { logEpoch: after[0], physicalOffset: after[1] } } : {}),
  }
}

function readSettling(fields: ChangeFields): { settling?: Settling } {
  const lists = fields.list(9)
  if (lists.length === 0) return {}
  const horizon = fields.pair(10)
  return {
    settling: {
      writes: lists.flatMap(readSettledBy),
      ...(horizon && { horizon: { logEpoch: horizon[0], physicalOffset: horizon[1] } }),
    },
  }
}

function readSettledBy(reader: FieldReader): SettledBy[] {
  const writes: SettledBy[] = []
  while (!reader.atEnd) {
    const queueOffset = reader.varint()
    writes.push({ queueOffset, write: { logEpoch: reader.varint(), physicalOffset: reader.varint() } })
  }
  return writes
}

function readMark(reader: FieldReader): Mark {
  const fields = new ChangeFields(reader)
  return { queueOffset: fields.number(1), stamp: fields.stamp(2) }
}

function readEnd(reader: FieldReader): { topic: string; queueId: number; end: number } {
  const fields = new ChangeFields(reader)
  return { topic: checkedTopicName(fields.text(1)), queueId: fields.number(2), end: fields.number(3) }
}

function readLevels(reader: FieldReader): [number, number][] {
  const levels: [number, number][] = []
  while (!reader.atEnd) levels.push([reader.varint(), reader.varint()])
  return levels
}

/** In order, however they came: a repeated field is one with all of them. */
function readRanges(readers: readonly FieldReader[]): Range[] {
  const ranges = new RangeSet()
  for (const reader of readers) ranges.union(RangeSet.decode(reader))
  return [...ranges.ranges()]
}

function missing(what: string): BrokerError {
  return new BrokerError('PROTOCOL_VIOLATION', `a change lacks its ${what}`)
}
