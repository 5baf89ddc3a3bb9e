import { createHmac, type KeyObject } from 'node:crypto'

/** The text of a handle with this payload and the right MAC: what is behind the check of it is reached. */
export function sealedHandle(payload: Buffer, key: KeyObject): string {
  const mac = createHmac('sha256', key).update('receipt handle').update(payload).digest().subarray(0, 16)
  return Buffer.concat([payload, mac]).toString('base64url')
}
