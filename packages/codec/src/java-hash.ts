/** `String.hashCode()` of Java: over UTF-16 code units, wrapping at 32 bits. */
export function javaHash(text: string): number {
  let hash = 0
  for (let index = 0; index < text.length; index += 1)
    hash = (Math.imul(31, hash) + text.charCodeAt(index)) | 0
  return hash
}

/**
 * What a consume-queue unit keeps of a message's tag: its Java hash, sign-extended. 0 for no tag.
 * (The delay-level topic keeps the due time there instead.)
 */
export function tagsCodeOf(tag: string | undefined): bigint {
  return tag === undefined ? 0n : BigInt(javaHash(tag))
}
