import { INPUT_BYTES_MAX } from './mutation.ts'

const COUNT = 0
const LENGTH = 1
const HEAD_BYTES = 8

/**
 * The input that a worker is busy with, in memory that its watcher shares: whatever the input does to the worker (an endless loop, all memory
 * gone), the watcher still has it.
 */
export class WatchedInput {
  readonly memory: SharedArrayBuffer
  readonly #head: Int32Array
  readonly #bytes: Uint8Array

  constructor(memory = new SharedArrayBuffer(HEAD_BYTES + INPUT_BYTES_MAX)) {
    this.memory = memory
    this.#head = new Int32Array(memory, 0, 2)
    this.#bytes = new Uint8Array(memory, HEAD_BYTES)
  }

  /** Executions begun. */
  get executions(): number {
    return Atomics.load(this.#head, COUNT)
  }

  get input(): Buffer {
    return Buffer.from(this.#bytes.slice(0, Atomics.load(this.#head, LENGTH)))
  }

  begin(input: Buffer): void {
    this.#bytes.set(input)
    Atomics.store(this.#head, LENGTH, input.length)
    Atomics.add(this.#head, COUNT, 1)
  }
}
