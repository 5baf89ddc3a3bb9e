import { createHash, createHmac } from 'node:crypto'

/** Signs receipt handles (rule 5.7): the same on all members of a set, and another one than the secret it comes from. */
export function handleKeyOf(set: string, secret: Buffer | undefined): Buffer {
  const purpose = `tandemmq receipt handles of ${set}`
  return secret === undefined
    ? createHash('sha256').update(purpose).digest()
    : createHmac('sha256', secret).update(purpose).digest()
}
