import { BrokerError } from '@tandemmq/base'
import { PROPERTIES_BYTES_MAX } from './record-layout.ts'

/**
 * One message of a batch as a client sends it (RocketMQ MessageDecoder.encodeMessage):
 *
 *     size i32, magic i32, crc i32, flag i32, body length i32, body, properties length i16, properties
 *
 * Clients leave magic and crc 0, and nobody looks at them.
 */
export interface BatchElement {
  readonly flag: number
  readonly body: Buffer
  /** Raw text, see `decodeProperties`. */
  readonly properties: string
}

/** Bytes of an element without body and properties. */
export const BATCH_ELEMENT_BYTES_MIN = 22

/** The body of a batch. Throws `MESSAGE_ILLEGAL` if a message's properties are too long. */
export function encodeMessageBatch(elements: readonly BatchElement[]): Buffer {
  const sizes = elements.map(elementBytes)
  const target = Buffer.alloc(sizes.reduce((sum, size) => sum + size, 0))
  let at = 0
  for (const [index, { flag, body, properties }] of elements.entries()) {
    const size = sizes[index] ?? 0
    target.writeInt32BE(size, at)
    target.writeInt32BE(flag, at + 12)
    target.writeInt32BE(body.length, at + 16)
    body.copy(target, at + 20)
    const propertiesAt = at + BATCH_ELEMENT_BYTES_MIN + body.length
    target.writeInt16BE(target.write(properties, propertiesAt), propertiesAt - 2)
    at += size
  }
  return target
}

/** The messages of a batch's body; bodies are views of it. Throws `MESSAGE_ILLEGAL` if the lengths do not add up. */
export function decodeMessageBatch(source: Buffer): BatchElement[] {
  const elements: BatchElement[] = []
  for (let at = 0; at < source.length;) {
    if (source.length - at < BATCH_ELEMENT_BYTES_MIN) throw illegal(at)
    const end = at + source.readInt32BE(at)
    const bodyBytes = source.readInt32BE(at + 16)
    const propertiesAt = at + BATCH_ELEMENT_BYTES_MIN + bodyBytes
    if (bodyBytes < 0 || end > source.length || propertiesAt > end) throw illegal(at)
    const propertiesBytes = source.readInt16BE(propertiesAt - 2)
    if (propertiesAt + propertiesBytes !== end) throw illegal(at)
    elements.push({
      flag: source.readInt32BE(at + 12),
      body: source.subarray(at + 20, at + 20 + bodyBytes),
      properties: source.toString('utf8', propertiesAt, end),
    })
    at = end
  }
  return elements
}

function elementBytes({ body, properties }: BatchElement): number {
  const propertiesBytes = Buffer.byteLength(properties)
  if (propertiesBytes > PROPERTIES_BYTES_MAX) {
    throw new BrokerError('MESSAGE_ILLEGAL', 'the properties of a message in a batch are too long', {
      facts: { bytes: propertiesBytes, max: PROPERTIES_BYTES_MAX },
    })
  }
  return BATCH_ELEMENT_BYTES_MIN + body.length + propertiesBytes
}

function illegal(at: number): BrokerError {
  return new BrokerError('MESSAGE_ILLEGAL', 'a batch is cut off or its lengths do not add up', {
    facts: { at },
  })
}
