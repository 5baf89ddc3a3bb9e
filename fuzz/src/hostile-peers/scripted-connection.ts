import type { Connection, ConnectionHandlers } from '@tandemmq/base'

const HIGH_WATER_BYTES = 64 * 1024

/** One end of a connection whose other end is a script: it says what it likes, when it likes, and reads or does not. */
export class ScriptedConnection implements Connection {
  readonly remote: string
  /** Told of every write of the end under test. */
  onWrite: (bytes: Buffer) => void = () => {}
  /** The script has stopped reading: what is written stays queued. */
  isStalled = false
  #handlers: ConnectionHandlers | undefined
  #held: Buffer[] = []
  #isPaused = false
  #isClosed = false
  #queuedBytes = 0

  constructor(remote: string) {
    this.remote = remote
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  get queuedBytes(): number {
    return this.#queuedBytes
  }

  /** Bytes that wait because the end under test has paused. */
  get heldBytes(): number {
    return this.#held.reduce((sum, { length }) => sum + length, 0)
  }

  start(handlers: ConnectionHandlers): void {
    this.#handlers = handlers
    this.#flow()
  }

  write(...parts: readonly Uint8Array[]): boolean {
    if (this.#isClosed) return true
    for (const part of parts) {
      if (this.isStalled) this.#queuedBytes += part.length
      this.onWrite(Buffer.from(part))
    }
    return this.#queuedBytes < HIGH_WATER_BYTES
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
    this.#flow()
  }

  end(): void {
    this.hangUp()
  }

  destroy(): void {
    this.hangUp()
  }

  /** What the script says. */
  say(bytes: Buffer): void {
    if (this.#isClosed || bytes.length === 0) return
    this.#held.push(Buffer.from(bytes))
    this.#flow()
  }

  /** The script reads again. */
  read(): void {
    this.isStalled = false
    if (this.#queuedBytes === 0) return
    this.#queuedBytes = 0
    if (!this.#isClosed) this.#handlers?.drained()
  }

  /** Either end; the handlers hear of it in a later turn, once. */
  hangUp(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#held = []
    queueMicrotask(() => this.#handlers?.closed())
  }

  #flow(): void {
    while (!this.#isPaused && !this.#isClosed && this.#handlers !== undefined) {
      const chunk = this.#held.shift()
      if (chunk === undefined) return
      this.#handlers.data(chunk)
    }
  }
}
