import { createSecretKey } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeReceiptHandle, openReceiptHandle, routeOfReceiptHandle, type ReceiptHandle } from './index.ts'

const key = createSecretKey(Buffer.from('the key of the set'))
const handle: ReceiptHandle = {
  set: 'broker-a',
  group: 'G',
  topic: '%RETRY%G_Orders',
  queueId: 3,
  queueOffset: 2 ** 40 + 1,
  stamp: { logEpoch: 7, physicalOffset: Number.MAX_SAFE_INTEGER },
  attempt: 2,
  deliveredAt: 1_795_364_941_123,
  invisibleMs: 43_200_000,
  servingEpoch: 1_795_364_941_000,
}

test('a handle comes back as it was, and tells its route without the key', () => {
  const text = encodeReceiptHandle(handle, key)
  expect(openReceiptHandle(text, key)).toEqual(handle)
  expect(routeOfReceiptHandle(text)).toEqual({ set: 'broker-a', group: 'G', topic: '%RETRY%G_Orders' })
  expect(text).toMatch(/^[\w-]{80,200}$/)
})

test('rule 5.6: the handle of a scheduled record names it, and the topic in which it was asked for', () => {
  const scheduled = { ...handle, topic: 'rmq_sys_wheel_timer', realTopic: 'Orders' }
  const text = encodeReceiptHandle(scheduled, key)
  expect(openReceiptHandle(text, key)).toEqual(scheduled)
  expect(routeOfReceiptHandle(text).set).toBe('broker-a')
})

test('a handle of another key, or altered in any bit, is refused', () => {
  const text = encodeReceiptHandle(handle, key)
  expect(() => openReceiptHandle(text, createSecretKey(Buffer.from('another')))).toThrow(/not made by this/)
  const bytes = Buffer.from(text, 'base64url')
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const altered = Buffer.from(bytes)
    altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    expect(() => openReceiptHandle(altered.toString('base64url'), key)).toThrow(
      expect.objectContaining({ code: 'RECEIPT_HANDLE_INVALID' }),
    )
  }
})

test('garbage of any kind is refused by name, never by accident', () => {
  const refused = expect.objectContaining({ code: 'RECEIPT_HANDLE_INVALID' })
  for (const text of ['', ' ', '0 1 2 3 4 broker-a 0 7', 'AA', 'A'.repeat(5000), '\u0000']) {
    expect(() => openReceiptHandle(text, key)).toThrow(refused)
    expect(() => routeOfReceiptHandle(text)).toThrow(refused)
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const text = Buffer.from(bytes).toString('base64url')
      expect(() => openReceiptHandle(text, key)).toThrow(refused)
      try {
        routeOfReceiptHandle(text)
      } catch (thrown) {
        expect(thrown).toEqual(refused)
      }
    }),
  )
})
