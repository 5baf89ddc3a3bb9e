import { FieldWriter, RangeSet, formatCompactJson, type RecordStamp } from '@tandemmq/codec'
import { unreachable } from '@tandemmq/base'
import type { AckedRecord, Change, Delivery, LeaseState, Mark, QueueKey, Settling } from './change.ts'
import { CHANGE_TAGS } from './change-tags.ts'
import type { Cursor } from './cursor.ts'
import type { Generation } from './generation.ts'
import { groupToJson } from './group-config.ts'
import { topicToJson } from './topic-config.ts'

/** The bytes of one change, for the journal and the metadata stream: its tag as a varint, then tagged fields. */
export function encodeChange(change: Change): Buffer {
  const writer = new FieldWriter(256).varint(CHANGE_TAGS[change.kind])
  writeFields(writer, change)
  return writer.finish()
}

function writeFields(writer: FieldWriter, change: Change): void {
  switch (change.kind) {
    case 'topic-put':
      writer.text(1, formatCompactJson(topicToJson(change.topic)))
      return writePair(writer, 2, cursorPair(change.version))
    case 'group-put':
      writer.text(1, formatCompactJson(groupToJson(change.group)))
      return writePair(writer, 2, cursorPair(change.version))
    case 'topic-delete':
    case 'group-delete':
      writer.text(1, change.name)
      writePair(writer, 2, cursorPair(change.version))
      return writePair(writer, 3, generationPair(change.generation))
    case 'lease':
      writeKey(writer, change)
      writePair(writer, 4, generationPair(change.generation))
      writer.number(5, change.servingEpoch)
      for (const delivery of change.deliveries) writer.nested(6, (inner) => writeDelivery(inner, delivery))
      return
    case 'visibility':
      writeKey(writer, change)
      writePair(writer, 4, generationPair(change.generation))
      writer.number(5, change.servingEpoch).nested(6, (inner) => writeDelivery(inner, change.delivery))
      return
    case 'ack':
      writeKey(writer, change)
      writePair(writer, 4, generationPair(change.generation))
      return writeRecords(writer, change.records)
    case 'delay':
      writePair(writer, 4, generationPair(change.generation))
      return writeRecords(writer, change.done)
    case 'reset':
      writeKey(writer, change)
      writePair(writer, 4, generationPair(change.generation))
      writer.number(5, change.to)
      return
    case 'cut':
      writePair(writer, 4, generationPair(change.generation))
      for (const { topic, queueId, end } of change.ends) {
        writer.nested(5, (inner) => inner.text(1, topic).number(2, queueId).number(3, end))
      }
      return
    case 'delay-levels':
      writer.nested(1, (inner) => {
        for (const [level, offset] of change.levels) inner.varint(level).varint(offset)
      })
      return
    case 'diverged':
      writeKey(writer, change)
      writer.number(5, change.end)
      if (change.last !== undefined) writeMarks(writer, [change.last])
      return
    case 'unsettled':
      writeKey(writer, change)
      writer.nested(6, (inner) => RangeSet.of(change.offsets).encode(inner))
      return
    case 'moved':
      writer.number(1, change.from).number(2, change.to)
      return
    case 'progress':
      writeKey(writer, change)
      writePair(writer, 4, generationPair(change.generation))
      writer.number(5, change.voidFrom).nested(6, (inner) => RangeSet.of(change.acked).encode(inner))
      writeMarks(writer, change.marks)
      for (const lease of change.leases) writer.nested(8, (inner) => writeLease(inner, lease))
      if (change.settling !== undefined) writeSettling(writer, change.settling)
      return
    default:
      unreachable(change)
  }
}

function writeKey(writer: FieldWriter, key: QueueKey): void {
  writer.text(1, key.group).text(2, key.topic).number(3, key.queueId)
}

function writeDelivery(writer: FieldWriter, delivery: Delivery): void {
  writer.number(1, delivery.queueOffset)
  writeStamp(writer, 2, delivery.stamp)
  writer.number(3, delivery.attempt).number(4, delivery.deliveredAt).number(5, delivery.invisibleMs)
  if (delivery.remainingMs !== undefined) writer.number(6, delivery.remainingMs)
}

function writeLease(writer: FieldWriter, lease: LeaseState): void {
  writeDelivery(writer, lease)
  writer.number(7, lease.servingEpoch).number(8, lease.attempts)
}

function writeSettling(writer: FieldWriter, { writes, horizon }: Settling): void {
  writer.nested(9, (inner) => {
    for (const { queueOffset, write } of writes) {
      inner.varint(queueOffset).varint(write.logEpoch).varint(write.physicalOffset)
    }
  })
  if (horizon !== undefined) writeStamp(writer, 10, horizon)
}

function writeMarks(writer: FieldWriter, marks: readonly Mark[]): void {
  for (const { queueOffset, stamp } of marks) {
    writer.nested(7, (inner) => {
      inner.number(1, queueOffset)
      writeStamp(inner, 2, stamp)
    })
  }
}

function writeRecords(writer: FieldWriter, records: readonly AckedRecord[]): void {
  for (const record of records) {
    writer.nested(6, (inner) => {
      inner.number(1, record.queueOffset)
      writeStamp(inner, 2, record.stamp)
      if (record.from !== undefined) inner.number(3, record.from)
      if (record.after !== undefined) writeStamp(inner, 4, record.after)
    })
  }
}

function writeStamp(writer: FieldWriter, tag: number, stamp: RecordStamp): void {
  writePair(writer, tag, [stamp.logEpoch, stamp.physicalOffset])
}

function writePair(writer: FieldWriter, tag: number, pair: readonly [number, number] | undefined): void {
  if (pair !== undefined) writer.nested(tag, (inner) => inner.varint(pair[0]).varint(pair[1]))
}

function cursorPair(cursor: Cursor | undefined): readonly [number, number] | undefined {
  return cursor && [cursor.processEpoch, cursor.counter]
}

function generationPair(generation: Generation | undefined): readonly [number, number] | undefined {
  return generation && [generation.servingEpoch, generation.counter]
}
