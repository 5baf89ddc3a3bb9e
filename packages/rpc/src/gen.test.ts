import { expect, test } from 'vitest'
import { forward, metadata, registry, rocketmq } from './index.ts'

test('a user property called __proto__ survives the wire', () => {
  const message = rocketmq.Message.fromPartial({ userProperties: new Map([['__proto__', 'kept']]) })
  const decoded = rocketmq.Message.decode(rocketmq.Message.encode(message).finish())
  expect(decoded.userProperties.get('__proto__')).toBe('kept')
})

test('a decoded payload is a view of the frame it came in, not a copy', () => {
  const frames = forward.CallFrames.fromPartial({ frames: [{ id: 7, payload: Buffer.from('abc') }] })
  const wire = Buffer.from(forward.CallFrames.encode(frames).finish())
  const payload = forward.CallFrames.decode(wire).frames[0]?.payload
  expect(payload?.buffer).toBe(wire.buffer)
})

test('an empty payload and an absent one are different things', () => {
  const frame = forward.ReplyFrame.fromPartial({ id: 1, payload: Buffer.alloc(0) })
  expect(forward.ReplyFrame.decode(forward.ReplyFrame.encode(frame).finish()).payload).toHaveLength(0)
  const end = forward.ReplyFrame.fromPartial({ id: 1, end: true })
  expect(forward.ReplyFrame.decode(forward.ReplyFrame.encode(end).finish()).payload).toBeUndefined()
})

test('numbers above 2^53 are refused, not rounded', () => {
  const wire = Buffer.from([0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]) // field 1 = 2^63 - 1
  expect(() => registry.MemberStatus.decode(wire)).toThrow(/MAX_SAFE_INTEGER/)
  expect(() => metadata.Cursor.decode(wire)).toThrow(/MAX_SAFE_INTEGER/)
})
