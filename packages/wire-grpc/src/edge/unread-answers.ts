export interface UnreadLimits {
  /** Of all connections together, bytes. */
  readonly totalMax: number
  /** Of one connection, bytes: a receive carries 4 MiB, or one message that is larger. */
  readonly connectionMax: number
}

export const defaultUnreadLimits: UnreadLimits = {
  totalMax: 256 * 1024 * 1024,
  connectionMax: 64 * 1024 * 1024,
}

interface Peer {
  bytes: number
}

/**
 * Answers that were made and that their clients have not taken yet. They stay in memory, so their bytes are bounded: the connection that has
 * too many is cut, and if all together are too many, the one that has taken nothing for longest.
 */
export class UnreadAnswers {
  readonly #limits: UnreadLimits
  readonly #cut: (peer: string) => void
  /** The one that has taken nothing for longest first. */
  readonly #peers = new Map<string, Peer>()
  #total = 0

  constructor(limits: UnreadLimits, cut: (peer: string) => void) {
    this.#limits = limits
    this.#cut = cut
  }

  /** Bytes held for all connections. */
  get bytes(): number {
    return this.#total
  }

  /** So many bytes were made for a peer, `host:port`. */
  made(name: string, bytes: number): void {
    const peer = this.#peers.get(name) ?? { bytes: 0 }
    peer.bytes += bytes
    this.#peers.set(name, peer)
    this.#total += bytes
    if (peer.bytes > this.#limits.connectionMax) return this.#cut(name)
    const [longest] = this.#peers.keys()
    if (this.#total > this.#limits.totalMax && longest !== undefined) this.#cut(longest)
  }

  /** So many bytes were taken, or will never be. */
  gone(name: string, bytes: number): void {
    const peer = this.#peers.get(name)
    if (peer === undefined || bytes === 0) return
    peer.bytes -= bytes
    this.#total -= bytes
    this.#peers.delete(name)
    if (peer.bytes > 0) this.#peers.set(name, peer)
  }
}
