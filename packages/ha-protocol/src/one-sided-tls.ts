import { BrokerError } from '@tandemmq/base'
import { encodeAnswer, encodeHandshake, startsHello } from '@tandemmq/codec'
import type { Refusal } from '@tandemmq/codec'

/** The first byte of every TLS connection (record type `handshake`); no hello and no report can start with it. */
export const TLS_FIRST_BYTE = 0x16

/** To a slave that encrypts, from a master that does not. It reads no words, but sees that they are not encrypted. */
export const plainMaster: Refusal = {
  reason: 'tls',
  words: 'the slave speaks TLS, its master does not: haTls must be the same on both',
}

/** To a slave that does not encrypt, from a master that does; undefined: who starts with this byte would not understand it. */
export function answerInPlain(firstByte: number): Buffer | undefined {
  if (!startsHello(firstByte)) return undefined
  const words = 'the master speaks TLS only, its slave does not: haTls must be the same on both'
  return encodeHandshake('answer', encodeAnswer({ kind: 'refuse', refusal: { reason: 'tls', words } }))
}

/** Whether a connection ended, or did not come to be, because it could not be encrypted as was asked for. */
export function isTlsFailure(cause: unknown): boolean {
  return cause instanceof BrokerError && cause.code === 'PEER_REFUSED'
}
