import { BrokerError, invariant } from '@tandemmq/base'

/**
 * How hello, proof and answer travel (rule 2.1): as 8-byte words that an Apache peer can never take for a report.
 *
 *     0        1                  8
 *     +--------+------------------+
 *     | 0xC0+n | n payload, 7-n 0 |   n = 0…7; as an i64 every word is negative
 *     +--------+------------------+
 *
 * The payload of all words together is one message:
 *
 *     0        1            5            5 + n
 *     +--------+------------+------------+
 *     | kind   | length u32 | fields     |
 *     +--------+------------+------------+
 *
 * A message takes at most 64 KiB of words; the next message starts with a new word.
 */
export type HandshakeKind = 'slave-hello' | 'master-hello' | 'proof' | 'answer'

export interface HandshakeMessage {
  readonly kind: HandshakeKind
  /** Tagged fields. */
  readonly body: Buffer
}

/** Bytes of words in one message. */
export const HANDSHAKE_BYTES_MAX = 64 * 1024

const WORD_BYTES = 8
const WORD_PAYLOAD = WORD_BYTES - 1
const MARK = 0xc0
const MESSAGE_HEAD_BYTES = 5
const HANDSHAKE_BODY_MAX = (HANDSHAKE_BYTES_MAX / WORD_BYTES) * WORD_PAYLOAD - MESSAGE_HEAD_BYTES

const kinds: readonly HandshakeKind[] = ['slave-hello', 'master-hello', 'proof', 'answer']

/** Whether a stream that starts with this byte starts with a hello, and not with a legacy peer's report. */
export function startsHello(firstByte: number): boolean {
  return firstByte >= MARK && firstByte <= MARK + WORD_PAYLOAD
}

export function encodeHandshake(kind: HandshakeKind, body: Buffer): Buffer {
  invariant(body.length <= HANDSHAKE_BODY_MAX, 'a handshake message fits 64 KiB of words')
  const payload = Buffer.allocUnsafe(MESSAGE_HEAD_BYTES + body.length)
  payload.writeUInt8(kinds.indexOf(kind) + 1, 0)
  payload.writeUInt32BE(body.length, 1)
  body.copy(payload, MESSAGE_HEAD_BYTES)

  const words = Buffer.alloc(Math.ceil(payload.length / WORD_PAYLOAD) * WORD_BYTES)
  for (let from = 0, at = 0; from < payload.length; from += WORD_PAYLOAD, at += WORD_BYTES) {
    const taken = payload.copy(words, at + 1, from, Math.min(from + WORD_PAYLOAD, payload.length))
    words.writeUInt8(MARK + taken, at)
  }
  return words
}

/**
 * Collects one message from chunks of any size. Holds one message's payload and never more, whatever the peer
 * announces.
 */
export class HandshakeReader {
  readonly #word = Buffer.alloc(WORD_BYTES)
  #wordFilled = 0
  #wordBytes = 0
  #head = Buffer.alloc(MESSAGE_HEAD_BYTES)
  #headFilled = 0
  #body: Buffer | undefined
  #bodyFilled = 0

  /**
   * Takes a chunk; returns the message once it is complete, with the bytes of the chunk that follow it.
   * Throws `PROTOCOL_VIOLATION` for anything that is not such a word. Not to be used again after either.
   */
  push(chunk: Buffer): { readonly message: HandshakeMessage; readonly rest: Buffer } | undefined {
    let at = 0
    while (at < chunk.length) {
      const taken = chunk.copy(this.#word, this.#wordFilled, at, at + WORD_BYTES - this.#wordFilled)
      at += taken
      this.#wordFilled += taken
      this.#checkMark()
      if (this.#wordFilled < WORD_BYTES) return undefined
      this.#wordFilled = 0
      const message = this.#takeWord()
      if (message !== undefined) return { message, rest: chunk.subarray(at) }
    }
    return undefined
  }

  #checkMark(): void {
    const mark = this.#word.readUInt8(0)
    if (!startsHello(mark)) throw violation(`a handshake word starts with 0x${mark.toString(16)}`)
  }

  #takeWord(): HandshakeMessage | undefined {
    this.#wordBytes += WORD_BYTES
    if (this.#wordBytes > HANDSHAKE_BYTES_MAX) throw violation('a handshake message is longer than 64 KiB')
    const used = this.#word.readUInt8(0) - MARK
    const payload = this.#word.subarray(1, 1 + used)
    if (this.#word.subarray(1 + used).some((byte) => byte !== 0))
      throw violation('a handshake word is not zero padded')

    const toHead = payload.copy(this.#head, this.#headFilled)
    this.#headFilled += toHead
    if (this.#headFilled < MESSAGE_HEAD_BYTES) return undefined
    const body = (this.#body ??= this.#openBody())
    const toBody = payload.copy(body, this.#bodyFilled, toHead)
    this.#bodyFilled += toBody
    if (toHead + toBody < used) throw violation('a handshake message goes on behind its end')
    return this.#bodyFilled < body.length ? undefined : { kind: this.#kind(), body }
  }

  #openBody(): Buffer {
    this.#kind()
    const length = this.#head.readUInt32BE(1)
    if (length > HANDSHAKE_BODY_MAX) throw violation(`a handshake message announces ${length} bytes`)
    return Buffer.alloc(length)
  }

  #kind(): HandshakeKind {
    const kind = kinds[this.#head.readUInt8(0) - 1]
    if (kind === undefined) throw violation(`${this.#head.readUInt8(0)} is no kind of handshake message`)
    return kind
  }
}

function violation(message: string): BrokerError {
  return new BrokerError('PROTOCOL_VIOLATION', message)
}
