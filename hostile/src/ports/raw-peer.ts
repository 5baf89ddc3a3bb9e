import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'

/** Only ends a wait that would never end. */
const GIVE_UP_MS = 30_000
const BEGINNING_MAX = 4_096

/** A TCP connection that says whatever it is told to. */
export class RawPeer implements Disposable {
  readonly #socket: Socket
  /** Resolves when the connection is over, however it ended. */
  readonly closed: Promise<void>
  #isClosed = false
  #beginning = ''

  /** @param reads whether it takes what it is sent */
  constructor(address: string, reads = true) {
    const { hostname, port } = new URL(`tcp://${address}`)
    this.#socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true, noDelay: true })
    this.#socket.on('error', () => undefined)
    if (reads) this.#socket.on('data', (chunk) => this.#take(chunk))
    else this.#socket.pause()
    this.closed = new Promise((resolve) => {
      this.#socket.once('close', () => {
        this.#isClosed = true
        resolve()
      })
    })
    // Half open on purpose: when the other side ends, we end too, unless we are told to hold on.
    this.#socket.once('end', () => this.#socket.end())
  }

  /** Opens `count` connections; resolves when each is connected or was turned away. */
  static async open(address: string, count: number, reads = true): Promise<RawPeer[]> {
    const peers: RawPeer[] = []
    // The system's queue of connections not yet accepted is finite: not all at once.
    while (peers.length < count) {
      const batch = Array.from(
        { length: Math.min(250, count - peers.length) },
        () => new RawPeer(address, reads),
      )
      await Promise.all(batch.map((peer) => peer.connected()))
      peers.push(...batch)
    }
    return peers
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** What was heard first, as far as it is kept. */
  get beginning(): string {
    return this.#beginning
  }

  async connected(): Promise<void> {
    if (this.#socket.connecting) await Promise.race([once(this.#socket, 'connect'), this.closed])
  }

  /** Says it, and resolves when the system has taken it or the connection is over. */
  async say(bytes: Buffer): Promise<void> {
    if (this.#isClosed || !this.#socket.writable) return
    if (!this.#socket.write(bytes)) await Promise.race([this.#drained(), this.closed])
  }

  /**
   * Says it again and again until `times` have been said, the connection is over, or the other side has taken nothing for a while.
   * Returns how often it was said.
   */
  async repeat(times: number, bytes: (turn: number) => Buffer, patienceMs = 3_000): Promise<number> {
    for (let turn = 0; turn < times; turn++) {
      if (this.#isClosed || !this.#socket.writable) return turn
      if (this.#socket.write(bytes(turn))) {
        // The honest client lives in this process too.
        await nextTurn()
        continue
      }
      const outcome = await within(patienceMs, Promise.race([this.#drained(), this.closed]))
      if (outcome === 'late') return turn
    }
    return times
  }

  /** Hands over everything that it is sent from now on. */
  hear(listener: (chunk: Buffer) => void): void {
    const isPaused = this.#socket.isPaused()
    this.#socket.on('data', listener)
    // A listener would set a socket flowing that is to stay unread.
    if (isPaused) this.#socket.pause()
  }

  /** Takes from now on what it is sent: who reads nothing does not see the end either. */
  read(): void {
    this.#socket.resume()
  }

  /** Ends our half. */
  endHalf(): void {
    this.#socket.end()
  }

  /** Waits for the end; throws if it does not come within `withinMs`. */
  async mustClose(withinMs = GIVE_UP_MS): Promise<void> {
    const outcome = await within(withinMs, this.closed)
    if (outcome === 'late') throw new Error(`the connection still stands after ${withinMs} ms`)
  }

  /** Waits for the first answer, or for the end. */
  async answered(withinMs: number): Promise<void> {
    if (this.#beginning !== '') return
    const heard = new Promise<void>((resolve) => {
      this.#socket.once('data', () => resolve())
    })
    if ((await within(withinMs, Promise.race([heard, this.closed]))) === 'late') {
      throw new Error(`no answer within ${withinMs} ms`)
    }
  }

  /** Ends it at once, with a reset. */
  [Symbol.dispose](): void {
    this.#socket.resetAndDestroy()
  }

  /** Resolves when the system has taken everything, or never. */
  #drained(): Promise<void> {
    return new Promise((resolve) => {
      this.#socket.once('drain', () => resolve())
    })
  }

  #take(chunk: Buffer): void {
    if (this.#beginning.length < BEGINNING_MAX) this.#beginning += chunk.toString('latin1')
  }
}

/** `late` if it does not come about in time. */
export async function within(limitMs: number, happens: Promise<unknown>): Promise<'late' | 'happened'> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), limitMs)
  })
  const outcome = await Promise.race([happens.then(() => 'happened' as const), late])
  clearTimeout(timer)
  return outcome
}
