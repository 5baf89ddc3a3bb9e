import { javaHash } from './java-hash.ts'
import { propertyOf } from './properties.ts'

/** The hash an entry stores: the Java hash without its sign, and 0 where that has none (−2^31). */
export function indexKeyHash(key: string): number {
  const hash = Math.abs(javaHash(key))
  return hash === 2 ** 31 ? 0 : hash
}

/**
 * The keys a record is found by, in the order RocketMQ 5.5 indexes them: its unique key, each of its
 * space-separated keys, its tag.
 */
export function indexKeysOf(topic: string, properties: string): string[] {
  const keys: string[] = []
  const uniqueKey = propertyOf(properties, 'UNIQ_KEY')
  if (uniqueKey !== undefined) keys.push(`${topic}#${uniqueKey}`)
  for (const key of propertyOf(properties, 'KEYS')?.split(' ') ?? []) {
    if (key !== '') keys.push(`${topic}#${key}`)
  }
  const tag = propertyOf(properties, 'TAGS')
  if (tag !== undefined) keys.push(`${topic}#T#${tag}`)
  return keys
}
