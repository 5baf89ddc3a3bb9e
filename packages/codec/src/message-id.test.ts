import { expect, it } from 'vitest'
import { decodeOffsetMessageId, encodeOffsetMessageId } from './message-id.ts'

it.each([
  ['127.0.0.1', '7F00000100002A9F0000000000001000'],
  ['::1', '0000000000000000000000000000000100002A9F0000000000001000'],
])('a message at 4096 of %s:10911 is %s', (ip, id) => {
  const storeHost = { ip, port: 10911 }
  expect(encodeOffsetMessageId(storeHost, 4096)).toBe(id)
  expect(decodeOffsetMessageId(id)).toEqual({ storeHost, offset: 4096 })
  expect(decodeOffsetMessageId(id.toLowerCase())).toEqual({ storeHost, offset: 4096 })
})

it.each([
  '',
  '7F00000100002A9F000000000000100',
  '7F00000100002A9F00000000000010000000',
  'XF00000100002A9F0000000000001000',
  '7F000001FFFFFFFF0000000000001000', // port
  '7F00000100002A9FFFFFFFFFFFFFFFFF', // offset
])('%j is no offset message id', (id) => {
  expect(() => decodeOffsetMessageId(id)).toThrow(expect.objectContaining({ code: 'ILLEGAL_ARGUMENT' }))
})
