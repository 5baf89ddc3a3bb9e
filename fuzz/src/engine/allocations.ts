import { getHeapStatistics } from 'node:v8'
import { claim } from './claim.ts'
import type { AllocationLimit } from '../target.ts'

const MIB = 1024 * 1024
const DEFAULT: AllocationLimit = { baseBytes: MIB, perInputByte: 64 }
/** What an execution may leave on the heap of JavaScript besides: compiled code and caches are counted there too. */
const HEAP_BASE = 48 * MIB
const HEAP_PER_INPUT_BYTE = 512

const originals = {
  alloc: Buffer.alloc.bind(Buffer),
  allocUnsafe: Buffer.allocUnsafe.bind(Buffer),
  allocUnsafeSlow: Buffer.allocUnsafeSlow.bind(Buffer),
}

/**
 * Watches what one execution asks for: the sum of all buffers, and the growth of the heap. A buffer that is far beyond the limit is refused
 * before it exists, so that a declared length of 2 GiB costs nothing here either.
 */
export class Allocations {
  readonly #limit: number
  readonly #heapLimit: number
  readonly #heapBefore: number
  #bytes = 0

  constructor(inputBytes: number, limit: AllocationLimit = DEFAULT) {
    this.#limit = limit.baseBytes + limit.perInputByte * inputBytes
    this.#heapLimit = HEAP_BASE + Math.max(HEAP_PER_INPUT_BYTE, limit.perInputByte) * inputBytes
    this.#heapBefore = usedHeap()
    Buffer.alloc = (size, ...rest) => originals.alloc(this.#counted(size), ...rest)
    Buffer.allocUnsafe = (size) => originals.allocUnsafe(this.#counted(size))
    Buffer.allocUnsafeSlow = (size) => originals.allocUnsafeSlow(this.#counted(size))
  }

  /** Ends the watch. Safe to call twice. */
  stop(): void {
    Object.assign(Buffer, originals)
  }

  /** Throws a finding if it was too much. */
  check(): void {
    this.#checkBuffers()
    const grown = usedHeap() - this.#heapBefore
    claim(grown <= this.#heapLimit, `the heap grew by ${grown} bytes, allowed are ${this.#heapLimit}`)
  }

  #counted(size: number): number {
    if (Number.isFinite(size)) this.#bytes += size
    this.#checkBuffers()
    return size
  }

  #checkBuffers(): void {
    claim(this.#bytes <= this.#limit, `buffers of ${this.#bytes} bytes, allowed are ${this.#limit}`)
  }
}

function usedHeap(): number {
  return getHeapStatistics().used_heap_size
}
