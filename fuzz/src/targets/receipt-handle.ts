import { createSecretKey } from 'node:crypto'
import { encodeReceiptHandle, openReceiptHandle, routeOfReceiptHandle } from '@tandemmq/codec'
import { claim, claimSame } from '../engine/claim.ts'
import { attempt } from '../engine/refusal.ts'
import { sealedHandle } from '../seeds/sealed-handle.ts'
import type { Target } from '../target.ts'

const HANDLE_KEY = createSecretKey(Buffer.alloc(32, 7))

/** What a consumer gives back: the bytes are the handle's payload, or the text itself. */
export const receiptHandle: Target = {
  name: 'receipt-handle',
  holds:
    'refused with RECEIPT_HANDLE_INVALID, or opened to fields that are written and opened again the same; the route is what the handle has',
  run(input) {
    open(input.toString('latin1'))
    open(input.toString('base64url'))
    return open(sealedHandle(input, HANDLE_KEY)) ? 'taken' : 'refused'
  },
}

function open(text: string): boolean {
  const route = attempt(['RECEIPT_HANDLE_INVALID'], () => routeOfReceiptHandle(text))
  const opened = attempt(['RECEIPT_HANDLE_INVALID'], () => openReceiptHandle(text, HANDLE_KEY))
  if ('refusal' in opened) return false
  const handle = opened.value
  const numbers = [
    handle.queueId,
    handle.queueOffset,
    handle.attempt,
    handle.invisibleMs,
    handle.servingEpoch,
  ]
  claim(
    numbers.every((number) => Number.isSafeInteger(number) && number >= 0),
    'numbers are numbers',
  )
  const { set, group, topic } = handle
  claimSame('value' in route && route.value, { set, group, topic }, 'the route is what the handle has')
  claimSame(
    openReceiptHandle(encodeReceiptHandle(handle, HANDLE_KEY), HANDLE_KEY),
    handle,
    'the same handle comes back',
  )
  return true
}
