import {
  HANDSHAKE_BYTES_MAX,
  HandshakeReader,
  encodeHandshake,
  startsHello,
  type HandshakeMessage,
} from '@tandemmq/codec'
import { chunkings } from '../engine/chunks.ts'
import { claim, claimSame } from '../engine/claim.ts'
import { checkedRefusal } from '../engine/refusal.ts'
import type { Target } from '../target.ts'
import { readMessage } from './ha-fields.ts'

/** The words in which hello, proof and answer travel. */
export const haHandshake: Target = {
  name: 'ha-handshake',
  holds:
    'the same message and the same rest however it is cut into chunks; no more memory than one message, whatever it announces; a message encodes to its words',
  run(input) {
    const [first, ...others] = chunkings(input).map(read)
    if (first === undefined) return 'refused'
    for (const other of others) claimSame(other, first, 'chunks make no difference')
    if (typeof first === 'string') return 'refused'
    const { message, used } = first
    claim(used <= HANDSHAKE_BYTES_MAX && startsHello(input[0] ?? 0), `a message of ${used} bytes`)
    readMessage(message.kind, message.body)
    const again = new HandshakeReader().push(encodeHandshake(message.kind, message.body))
    claimSame(again?.message, message, 'the same message comes back')
    claim(again?.rest.length === 0, 'nothing is left of a message')
    return 'taken'
  },
}

/** The first message and how many bytes it took, or why there is none. */
function read(
  chunks: readonly Buffer[],
): { readonly message: HandshakeMessage; readonly used: number } | string {
  const reader = new HandshakeReader()
  let fed = 0
  try {
    for (const chunk of chunks) {
      fed += chunk.length
      const taken = reader.push(chunk)
      if (taken !== undefined) return { message: taken.message, used: fed - taken.rest.length }
    }
    return 'incomplete'
  } catch (error) {
    return checkedRefusal(['PROTOCOL_VIOLATION'], error).message
  }
}
