import { ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js'
import type { Clock } from '@tandemmq/base'

export interface UnfinishedLimits {
  /** How long a request may take to arrive completely, ms. */
  readonly requestMs: number
  /** What one connection may have sent of requests that are not complete, bytes. */
  readonly unfinishedBytesMax: number
  /** The same of all connections together. */
  readonly unfinishedTotalMax: number
}

/** A connection that has calls whose request is not complete. */
interface Peer {
  /** When each of them began, the oldest first; monotonic. */
  readonly calls: Map<object, number>
  /** What had been read of the connection, less what belongs to unfinished requests. */
  finishedBytes: number
}

export interface Connections {
  /** Bytes read so far of the connection from this `host:port`. */
  read(peer: string): number
  cut(peer: string, reason: string, words: string): void
}

const LOOK_EVERY_MS = 250
/** Frame and message headers; what a request costs beyond that counts as unfinished until none is. */
const OVERHEAD_BYTES = 64

/**
 * Requests of which only a part has arrived stay in memory, and grpc-js can end their calls, but does not let go of their streams. So the
 * connection is cut on which one takes too long, or that holds too many bytes; if all together hold too many, the one that holds most. Looked at
 * a few times a second while there is any. Streams of requests may be silent as long as they like.
 */
export class UnfinishedRequests {
  readonly #limits: UnfinishedLimits
  readonly #clock: Clock
  readonly #connections: Connections
  readonly #peers = new Map<string, Peer>()
  #isLooking = false

  constructor(limits: UnfinishedLimits, clock: Clock, connections: Connections) {
    this.#limits = limits
    this.#clock = clock
    this.#connections = connections
  }

  /** Tells of every call of a server. */
  readonly interceptor: ServerInterceptor = (method, call) => {
    if (method.requestStream) return new ServerInterceptingCall(call)
    const peer = call.getPeer()
    return new ServerInterceptingCall(call, {
      start: (next) => {
        this.#begun(peer, call)
        next({
          onReceiveMessage: (message: unknown, pass: (message: unknown) => void) => {
            this.#finished(peer, call, message instanceof Uint8Array ? message.length : 0)
            pass(message)
          },
          onCancel: () => this.#finished(peer, call, 0),
        })
      },
    })
  }

  #begun(name: string, call: object): void {
    const peer = this.#peers.get(name) ?? {
      calls: new Map<object, number>(),
      finishedBytes: this.#connections.read(name),
    }
    peer.calls.set(call, this.#clock.monotonic())
    this.#peers.set(name, peer)
    this.#lookLater()
  }

  #finished(name: string, call: object, bytes: number): void {
    const peer = this.#peers.get(name)
    if (peer === undefined || !peer.calls.delete(call)) return
    if (peer.calls.size === 0) this.#peers.delete(name)
    else peer.finishedBytes += bytes + OVERHEAD_BYTES
  }

  #lookLater(): void {
    if (this.#isLooking) return
    this.#isLooking = true
    this.#clock.after(LOOK_EVERY_MS, () => {
      this.#isLooking = false
      this.#look()
      if (this.#peers.size > 0) this.#lookLater()
    })
  }

  #look(): void {
    const { requestMs, unfinishedBytesMax, unfinishedTotalMax } = this.#limits
    const late = this.#clock.monotonic() - requestMs
    let total = 0
    let most: readonly [name: string, bytes: number] = ['', 0]
    for (const [name, peer] of this.#peers) {
      const read = this.#connections.read(name)
      // Others may have counted more than was read: the overhead is an estimate.
      peer.finishedBytes = Math.min(peer.finishedBytes, read)
      const held = read - peer.finishedBytes
      const [oldest = 0] = peer.calls.values()
      if (oldest <= late) this.#cut(name, 'request-late', `a request has not arrived within ${requestMs} ms`)
      else if (held > unfinishedBytesMax)
        this.#cut(name, 'unfinished', `${held} bytes of requests that do not end`)
      else {
        total += held
        if (held > most[1]) most = [name, held]
      }
    }
    const words = `${total} bytes of requests that do not end on all connections, most of them here`
    if (total > unfinishedTotalMax) this.#cut(most[0], 'unfinished', words)
  }

  #cut(name: string, reason: string, words: string): void {
    this.#peers.delete(name)
    this.#connections.cut(name, reason, words)
  }
}
