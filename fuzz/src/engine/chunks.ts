/**
 * Cuts bytes into chunks as a network might: all at once, byte by byte, or at places that the bytes themselves decide, so that one input is
 * always cut the same way.
 */
export function chunkings(input: Buffer): readonly (readonly Buffer[])[] {
  const whole = [input]
  const isSmall = input.length <= 2048
  return isSmall
    ? [whole, cut(input, () => 1), cut(input, () => 7), cut(input, uneven(input))]
    : [whole, cut(input, uneven(input))]
}

function cut(input: Buffer, next: () => number): readonly Buffer[] {
  const chunks: Buffer[] = []
  for (let at = 0; at < input.length;) {
    const size = next()
    // A copy, as each chunk of a socket is memory of its own.
    chunks.push(Buffer.from(input.subarray(at, at + size)))
    at += size
  }
  return chunks
}

function uneven(input: Buffer): () => number {
  let state = input.reduce((sum, byte) => (sum * 31 + byte) % 65_521, 1)
  return () => {
    state = (state * 75 + 74) % 65_537
    return 1 + (state % 40) ** 2
  }
}
