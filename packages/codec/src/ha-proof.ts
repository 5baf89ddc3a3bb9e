import { MAC_BYTES } from './ha-hello.ts'
import { decodeChecksummedRange, encodeChecksummedRange } from './ha-range-field.ts'
import type { ChecksummedRange } from './ha-range-field.ts'
import { decodeRefusal, writeRefusal } from './ha-refusal.ts'
import type { Refusal } from './ha-refusal.ts'
import { Fields, FieldWriter } from './ha-tagged-fields.ts'

/** A slave's second message: who it is, and what its log holds where the master asked; or why it goes away. */
export interface Proof {
  /** HMAC over both hellos and the role; absent where no secret is configured. */
  readonly mac?: Buffer
  /** The range that the master's hello named, with the slave's checksum. */
  readonly compared?: ChecksummedRange
  /** The slave does not want this master: nothing follows. */
  readonly refusal?: Refusal
}

const TAG_MAC = 14
const TAG_COMPARED = 15

export function encodeProof(proof: Proof): Buffer {
  const fields = new FieldWriter()
  if (proof.mac !== undefined) fields.bytes(TAG_MAC, proof.mac)
  if (proof.compared !== undefined) fields.bytes(TAG_COMPARED, encodeChecksummedRange(proof.compared))
  if (proof.refusal !== undefined) writeRefusal(fields, proof.refusal)
  return fields.finish()
}

/** Throws `PROTOCOL_VIOLATION` for a malformed field. */
export function decodeProof(body: Buffer): Proof {
  const fields = new Fields(body)
  const mac = fields.bytes(TAG_MAC, MAC_BYTES)
  const compared = fields.bytes(TAG_COMPARED)
  const refusal = decodeRefusal(fields)
  return {
    ...(mac === undefined ? {} : { mac }),
    ...(compared === undefined ? {} : { compared: decodeChecksummedRange(compared) }),
    ...(refusal === undefined ? {} : { refusal }),
  }
}
