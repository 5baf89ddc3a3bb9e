import { createHash, createHmac, createSecretKey, type KeyObject } from 'node:crypto'

/** Signs receipt handles (rule 5.7): the same on all members of a set, and another one than the secret it comes from. */
export function handleKeyOf(set: string, secret: Buffer | undefined): KeyObject {
  const purpose = `tandemmq receipt handles of ${set}`
  const source = secret === undefined ? createHash('sha256') : createHmac('sha256', secret)
  return createSecretKey(source.update(purpose).digest())
}
