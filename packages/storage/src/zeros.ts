let zeroBlock = Buffer.alloc(0)

/** A view of `count` zeros, shared by all: read only. */
export function zeros(count: number): Buffer {
  if (zeroBlock.length < count) zeroBlock = Buffer.alloc(count)
  return zeroBlock.subarray(0, count)
}
