import { EventEmitter } from 'node:events'
import { expect, test } from 'vitest'
import { sendAnswer, type AnswerSink } from './answer-stream.ts'

/** A call whose other end reads nothing. */
class FullSink extends EventEmitter implements AnswerSink {
  write(): boolean {
    return false
  }
}

test('an answer that finds no room is given up when its watcher is hung up on, and leaves nothing behind', async () => {
  const sink = new FullSink()
  const gone = new AbortController()
  const answer = { cursor: { processEpoch: 1, counter: 0 }, snapshot: {}, changes: [] }
  const sending = sendAnswer(sink, answer, gone.signal)
  gone.abort()
  await expect(sending).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  await expect(sendAnswer(sink, answer, gone.signal)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  expect(sink.eventNames()).toEqual([])

  const late = sendAnswer(sink, answer, new AbortController().signal)
  sink.emit('drain')
  await late
  expect(sink.eventNames()).toEqual([])
})
