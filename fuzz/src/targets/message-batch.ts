import {
  decodeMessageBatch,
  decodeOffsetMessageId,
  encodeMessageBatch,
  encodeOffsetMessageId,
} from '@tandemmq/codec'
import { claim, claimSame } from '../engine/claim.ts'
import { attempt } from '../engine/refusal.ts'
import type { Target } from '../target.ts'

/** Several messages in one body, and the id by which a broker names a message. */
export const messageBatch: Target = {
  name: 'message-batch',
  holds:
    'refused with MESSAGE_ILLEGAL, or its parts add up to its bytes and encode to a batch that decodes to the same',
  run(input) {
    messageId(input.toString('latin1'))
    const decoded = attempt(['MESSAGE_ILLEGAL'], () => decodeMessageBatch(input))
    if ('refusal' in decoded) return 'refused'
    const elements = decoded.value
    const bytes = elements.reduce((sum, { body }) => sum + body.length, 0)
    claim(bytes <= input.length, 'bodies are no more than what came')
    if (elements.some(({ properties }) => properties.includes('\uFFFD'))) return 'taken'
    claimSame(decodeMessageBatch(encodeMessageBatch(elements)), elements, 'the same messages come back')
    return elements.length > 0 ? 'taken' : 'refused'
  },
}

function messageId(text: string): void {
  const decoded = attempt(['ILLEGAL_ARGUMENT'], () => decodeOffsetMessageId(text))
  if ('refusal' in decoded) return
  const { storeHost, offset } = decoded.value
  claim(encodeOffsetMessageId(storeHost, offset) === text.toUpperCase(), 'an id is written as it was read')
}
