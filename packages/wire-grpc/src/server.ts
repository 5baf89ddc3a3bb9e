import { createServer, type Server as NetServer, type Socket } from 'node:net'
import {
  Server,
  ServerCredentials,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js'
import {
  BrokerError,
  SparingLogger,
  silentMeter,
  type Address,
  type Clock,
  type Counter,
  type Logger,
  type Meter,
} from '@tandemmq/base'
import { refuseCompressedRequests } from './compressed-requests.ts'
import { ConnectionGate, type TlsPort } from './connection-gate.ts'
import { UnfinishedRequests, type UnfinishedLimits } from './unfinished-requests.ts'

export interface GrpcServerOptions extends UnfinishedLimits {
  /** The largest message taken from a peer, bytes. A larger one ends its call with RESOURCE_EXHAUSTED. */
  readonly maxInboundBytes: number
  /** Calls at once on one connection. */
  readonly maxStreamsPerConnection: number
  /** More connections than this are not accepted. */
  readonly connectionsMax: number
  /** Connections that have not said the first bytes of HTTP/2 yet; the oldest makes room. */
  readonly strangersMax: number
  /** How long they may take to say them. */
  readonly handshakeMs: number
  /** A connection without any call is closed after this long. */
  readonly connectionIdleMs: number
  /** A peer that does not answer a ping in `pingTimeoutMs` is gone; pinged this often. */
  readonly pingIntervalMs: number
  readonly pingTimeoutMs: number
  /** What may be under way on one stream without being read, bytes. */
  readonly windowBytes: number
}

export interface GrpcServerPorts {
  readonly clock: Clock
  readonly logger: Logger
  /** Default: nothing is counted. */
  readonly meter?: Meter
  /** Default: no TLS is spoken. */
  readonly tls?: TlsPort | undefined
}

/** After this long a draining connection is cut whatever its calls do. */
const DRAIN_MAX_MS = 60_000

const defaultGrpcServerOptions: GrpcServerOptions = {
  maxInboundBytes: 16 * 1024 * 1024,
  maxStreamsPerConnection: 1_000,
  connectionsMax: 2_000,
  strangersMax: 256,
  handshakeMs: 10_000,
  requestMs: 60_000,
  unfinishedBytesMax: 64 * 1024 * 1024,
  unfinishedTotalMax: 256 * 1024 * 1024,
  connectionIdleMs: 120_000,
  pingIntervalMs: 30_000,
  pingTimeoutMs: 10_000,
  windowBytes: 1024 * 1024,
}

/**
 * One gRPC port. Clients may ping as often as they like, with or without calls. It may listen before its services are there: who connects
 * meanwhile waits, instead of being told that they are not implemented.
 *
 * The sockets are ours and are handed to grpc-js one by one: its own shutdown leaves peers without a word for seconds (it only half-closes
 * their connections), and a peer that is to fail over must notice at once.
 */
export class GrpcServer implements AsyncDisposable {
  readonly #server: Server
  readonly #injector: ReturnType<Server['createConnectionInjector']>
  readonly #listener: NetServer
  /** By the name that grpc-js gives to their peers. */
  readonly #sockets = new Map<string, Socket>()
  readonly #gate: ConnectionGate
  readonly #logger: Logger
  readonly #refused: Counter
  #address: Address | undefined
  /** Connections that wait for the first service; `undefined` once it is there. */
  #waiting: Set<Socket> | undefined = new Set()
  #onEmpty: (() => void) | undefined

  constructor(
    { clock, logger, meter = silentMeter, tls }: GrpcServerPorts,
    options: Partial<GrpcServerOptions> = {},
  ) {
    const limits = { ...defaultGrpcServerOptions, ...options }
    refuseCompressedRequests()
    const unfinished = new UnfinishedRequests(limits, clock, {
      read: (peer) => this.#sockets.get(peer)?.bytesRead ?? 0,
      cut: (peer, reason, words) => this.cut(peer, reason, words),
    })
    this.#logger = new SparingLogger(logger, clock)
    this.#refused = meter.counter(
      'rocketmq_ha_connections_refused_total',
      'Connections of a port that were turned away, or closed for what their peer did, by reason.',
      ['port', 'reason'],
    )
    meter.observe('rocketmq_ha_grpc_connections', 'Connections of the gRPC port.', [], () => [
      { value: this.connections },
    ])
    const refused = (reason: string): void => this.#refused.add(1, { port: 'grpc', reason })
    this.#gate = new ConnectionGate(limits, { clock, logger: this.#logger, refused, tls }, (socket) =>
      this.#admit(socket),
    )
    this.#server = new Server({
      'grpc.max_receive_message_length': limits.maxInboundBytes,
      // What we send is bounded where it is made.
      'grpc.max_send_message_length': -1,
      'grpc.max_concurrent_streams': limits.maxStreamsPerConnection,
      'grpc.max_connection_idle_ms': limits.connectionIdleMs,
      'grpc.keepalive_time_ms': limits.pingIntervalMs,
      'grpc.keepalive_timeout_ms': limits.pingTimeoutMs,
      'grpc-node.flow_control_window': limits.windowBytes,
      'grpc.enable_channelz': 0,
      interceptors: [unfinished.interceptor],
    })
    this.#injector = this.#server.createConnectionInjector(ServerCredentials.createInsecure())
    this.#listener = createServer({ noDelay: true }, (socket) => this.#accept(socket))
    this.#listener.maxConnections = limits.connectionsMax
    this.#listener.on('drop', (facts) => this.#turnedAway(facts?.remoteAddress, limits.connectionsMax))
  }

  /** Adds a service, before or after {@link listen}; all in one turn. */
  add(definition: ServiceDefinition, implementation: UntypedServiceImplementation): void {
    this.#server.addService(definition, implementation)
    const waiting = this.#waiting
    this.#waiting = undefined
    if (!waiting) return
    queueMicrotask(() => {
      for (const socket of waiting) if (!socket.destroyed) this.#injector.injectConnection(socket)
    })
  }

  /** Port 0: any free one. Rejects with `UNAVAILABLE` naming the address. */
  listen({ host, port }: Address): Promise<Address> {
    return new Promise((resolve, reject) => {
      const refuse = (cause: Error): void => {
        const words = `cannot listen on ${host}:${port}: ${cause.message}`
        reject(new BrokerError('UNAVAILABLE', words, { cause, facts: { port } }))
      }
      this.#listener.once('error', refuse)
      this.#listener.listen(port, host, () => {
        this.#listener.off('error', refuse)
        // No file descriptor is left for one more connection: listening goes on.
        this.#listener.on('error', (cause) => {
          const facts = { port: this.#address?.port, connections: this.connections, why: cause.message }
          this.#logger.error(facts, 'a connection could not be accepted')
        })
        const bound = this.#listener.address()
        this.#address = { host, port: typeof bound === 'object' && bound ? bound.port : port }
        resolve(this.#address)
      })
    })
  }

  /** Where it listens. */
  get address(): Address | undefined {
    return this.#address
  }

  /** Connections that stand now. */
  get connections(): number {
    return this.#sockets.size
  }

  /** Closes the connection from a peer, named as calls of grpc-js name it, and says why. */
  cut(peer: string, reason: string, words: string): void {
    const socket = this.#sockets.get(peer)
    if (socket === undefined) return
    this.#logger.warn({ port: this.#address?.port, peer, reason, words }, 'a gRPC connection was closed')
    this.#refused.add(1, { port: 'grpc', reason })
    socket.destroy()
  }

  /** Takes no new connections, lets running calls end, and breaks off what is left when `signal` aborts: at once if none is given. */
  async close(signal: AbortSignal = AbortSignal.abort()): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#listener.close(() => resolve())
    })
    this.#gate.close()
    for (const socket of this.#waiting ?? []) socket.destroy()
    if (!signal.aborted && this.#sockets.size > 0) {
      this.#injector.drain(DRAIN_MAX_MS)
      await new Promise<void>((resolve) => {
        this.#onEmpty = resolve
        signal.addEventListener('abort', () => resolve(), { once: true })
      })
    }
    for (const socket of this.#sockets.values()) socket.destroy()
    this.#server.forceShutdown()
    await closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #accept(socket: Socket): void {
    const peer = `${socket.remoteAddress}:${socket.remotePort}`
    this.#sockets.set(peer, socket)
    // A connection that fails is closed; who had calls on it learns it from them.
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      this.#sockets.delete(peer)
      this.#waiting?.delete(socket)
      if (this.#sockets.size === 0) this.#onEmpty?.()
    })
    this.#gate.take(socket)
  }

  #admit(socket: Socket): void {
    if (this.#waiting) this.#waiting.add(socket)
    else this.#injector.injectConnection(socket)
  }

  #turnedAway(peer: string | undefined, connections: number): void {
    const facts = { port: this.#address?.port, peer, connections }
    this.#logger.warn(facts, 'a connection too many was turned away')
    this.#refused.add(1, { port: 'grpc', reason: 'too-many' })
  }
}
