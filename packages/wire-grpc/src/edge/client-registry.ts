import type { Clock, Timer } from '@tandemmq/base'
import type { rocketmq } from '@tandemmq/rpc'
import type { ConsumerPresence } from '../client-api/call-target.ts'

/** A client not heard of for this long is forgotten. */
const EXPIRY_MS = 120_000
/**
 * When a client with a stream asks for a route, its settings are said again this much later. The Node client up to 1.0.8 opens its stream after
 * its first route, but hears settings only after its last: without this it hangs with two topics or more.
 */
const REPEAT_MS = 150
/** Beyond this the one not heard of for longest is forgotten. */
const CLIENTS_MAX = 50_000

/** The way to a client that has a Telemetry stream. */
export interface ClientStream {
  send(command: rocketmq.TelemetryCommand): void
  /** Ends it from this side. */
  end(): void
}

interface Client {
  readonly id: string
  heardAt: number
  /** Consumers under auto-renew: their group. */
  group?: string
  settings?: rocketmq.Settings
  stream?: ClientStream
  repeat?: Timer
}

/**
 * Who is connected, by client id: settings survive the loss of a stream, and a client is known as long as it is heard of. One that is not heard of
 * here may be heard of at another gateway: that it is gone only brokers find out, who are told by all.
 */
export class ClientRegistry {
  readonly #clock: Clock
  readonly #presence: ConsumerPresence
  readonly #settingsCommand: (settings: rocketmq.Settings) => rocketmq.TelemetryCommand
  /** In the order in which they were last heard of. */
  readonly #clients = new Map<string, Client>()
  #timer: Timer | undefined

  constructor(
    clock: Clock,
    presence: ConsumerPresence,
    settingsCommand: (settings: rocketmq.Settings) => rocketmq.TelemetryCommand,
  ) {
    this.#clock = clock
    this.#presence = presence
    this.#settingsCommand = settingsCommand
  }

  get size(): number {
    return this.#clients.size
  }

  /** Settings of the clients whose stream is open. */
  *connected(): Generator<rocketmq.Settings> {
    for (const { settings, stream } of this.#clients.values()) if (settings && stream) yield settings
  }

  /** What the client was last told. */
  settingsOf(id: string): rocketmq.Settings | undefined {
    return this.#clients.get(id)?.settings
  }

  /** A heartbeat. `autoRenewGroup` is the group of a consumer whose leases brokers renew while it lives. */
  heard(id: string, autoRenewGroup?: string): void {
    const client = this.#touch(id)
    if (autoRenewGroup !== undefined) client.group = autoRenewGroup
    if (client.group !== undefined) this.#presence.seen(id, client.group)
  }

  /** Settings have been agreed on this stream; they are said now, and once more for a client that was not listening yet. */
  agreed(id: string, stream: ClientStream, settings: rocketmq.Settings, autoRenewGroup?: string): void {
    const client = this.#touch(id)
    const isFirst = client.stream !== stream
    client.stream = stream
    client.settings = settings
    if (autoRenewGroup !== undefined) {
      client.group = autoRenewGroup
      this.#presence.seen(id, autoRenewGroup)
    }
    stream.send(this.#settingsCommand(settings))
    if (isFirst) this.#repeatSettings(client)
  }

  /** A route was asked for. */
  routed(id: string): void {
    const client = this.#clients.get(id)
    if (client?.stream && client.settings) this.#repeatSettings(client)
  }

  /** The stream is over; the client may come back on another. */
  left(id: string, stream: ClientStream): void {
    const client = this.#clients.get(id)
    if (client?.stream !== stream) return
    delete client.stream
    client.repeat?.cancel()
  }

  /** The client says that it stops. */
  terminated(id: string, group?: string): void {
    const client = this.#clients.get(id)
    const left = group ?? client?.group
    this.#forget(id)
    if (left !== undefined) this.#presence.gone(id, left)
  }

  /** Forgets everybody, without telling anyone. */
  close(): void {
    this.#timer?.cancel()
    for (const client of this.#clients.values()) client.repeat?.cancel()
    this.#clients.clear()
  }

  #touch(id: string): Client {
    const client = this.#clients.get(id) ?? { id, heardAt: 0 }
    client.heardAt = this.#clock.monotonic()
    this.#clients.delete(id)
    this.#clients.set(id, client)
    const [oldest] = this.#clients.keys()
    if (this.#clients.size > CLIENTS_MAX && oldest !== undefined) this.#forget(oldest)
    this.#timer ??= this.#clock.after(EXPIRY_MS, () => this.#sweep())
    return client
  }

  #repeatSettings(client: Client): void {
    client.repeat?.cancel()
    client.repeat = this.#clock.after(REPEAT_MS, () => {
      if (client.stream && client.settings) client.stream.send(this.#settingsCommand(client.settings))
    })
  }

  #sweep(): void {
    this.#timer = undefined
    const now = this.#clock.monotonic()
    for (const { id, heardAt } of this.#clients.values()) {
      if (heardAt + EXPIRY_MS > now) {
        this.#timer = this.#clock.after(heardAt + EXPIRY_MS - now, () => this.#sweep())
        return
      }
      this.#forget(id)
    }
  }

  #forget(id: string): void {
    const client = this.#clients.get(id)
    client?.repeat?.cancel()
    this.#clients.delete(id)
  }
}
