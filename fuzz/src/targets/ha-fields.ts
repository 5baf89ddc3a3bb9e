import { unreachable } from '@tandemmq/base'
import {
  decodeAnswer,
  decodeControl,
  decodeHello,
  decodeLineage,
  decodeProof,
  encodeAnswer,
  encodeControl,
  encodeHello,
  encodeLineage,
  encodeProof,
  type HandshakeKind,
} from '@tandemmq/codec'
import { claim, claimSame } from '../engine/claim.ts'
import { attempt } from '../engine/refusal.ts'
import type { Target } from '../target.ts'

/** The tagged fields inside of hello, proof, answer and control frames, read as each of them. */
export const haFields: Target = {
  name: 'ha-fields',
  holds:
    'refused with PROTOCOL_VIOLATION, or something that encodes to fields that decode to the same; texts hold no control characters',
  run(input) {
    const taken = [
      readMessage('slave-hello', input),
      readMessage('proof', input),
      readMessage('answer', input),
      readControl(input),
      readLineage(input),
    ]
    return taken.includes(true) ? 'taken' : 'refused'
  },
}

/** Whether the body is a message of that kind. */
export function readMessage(kind: HandshakeKind, body: Buffer): boolean {
  switch (kind) {
    case 'slave-hello':
    case 'master-hello':
      return readHello(body)
    case 'proof':
      return comesBack(body, decodeProof, encodeProof)
    case 'answer':
      return comesBack(body, decodeAnswer, encodeAnswer)
    default:
      return unreachable(kind)
  }
}

function readHello(body: Buffer): boolean {
  const decoded = attempt(['PROTOCOL_VIOLATION'], () => decodeHello(body))
  if ('refusal' in decoded) return false
  const { hello, signed, mac } = decoded.value
  claim(signed.length + (mac === undefined ? 0 : 36) === body.length, 'a MAC covers everything before it')
  for (const text of [hello.cluster, hello.set, hello.identity, hello.instanceId]) {
    claim(text !== '' && !/\p{Cc}/u.test(text), `a name in a hello is ${JSON.stringify(text)}`)
  }
  claim(hello.begin <= hello.end, 'a log begins before it ends')
  if (!JSON.stringify(hello).includes('\uFFFD')) {
    claimSame(decodeHello(encodeHello(hello)).hello, hello, 'the same hello comes back')
  }
  return true
}

function readControl(body: Buffer): boolean {
  return comesBack(body, decodeControl, encodeControl)
}

function readLineage(body: Buffer): boolean {
  const decoded = attempt(['PROTOCOL_VIOLATION'], () => decodeLineage(body))
  if ('refusal' in decoded) return false
  claimSame(
    encodeLineage(decoded.value).toString('hex'),
    body.toString('hex'),
    'a lineage encodes to its bytes',
  )
  return true
}

/** What was no UTF-8 is longer when it is written again, and may be cut. */
function comesBack<T>(body: Buffer, decode: (body: Buffer) => T, encode: (value: T) => Buffer): boolean {
  const decoded = attempt(['PROTOCOL_VIOLATION'], () => decode(body))
  if ('refusal' in decoded) return false
  const again = encode(decoded.value)
  if (!JSON.stringify(decoded.value).includes('\uFFFD'))
    claimSame(decode(again), decoded.value, 'the same comes back')
  return true
}
