import { invariant, type Address, type Clock, type Connection, type Net, type Timer } from '@tandemmq/base'

/** What one end of a {@link MessageStream} hears. */
export interface StreamHandlers<In> {
  message(message: In): void
  /** Called once; nothing is called afterwards. Not called on the end that closed. */
  closed(why: string): void
}

/** One end of a connection that carries whole messages, in order. */
export interface MessageStream<In, Out> {
  /** When the other end was heard last, be it that it lives; monotonic, ms. */
  readonly heardAt: number
  /** Call it once, in the turn in which the stream was received. */
  start(handlers: StreamHandlers<In>): void
  /** Does nothing once the stream is closed. */
  send(message: Out): void
  /** Sends what was sent, then ends. */
  close(): void
  /** Ends it at once, and tells both ends. */
  hangUp(why: string): void
}

const FRAME_BYTES = 4
/** A frame that carries nothing. */
const PING = 0
/** As gRPC's keepalive: without it, who only listens would never notice that the other end lost its power. */
const PING_MS = 2_000
const SILENCE_MS = 5_000

/** What a process brings to its end of a stream. */
export interface StreamPorts {
  readonly net: Net
  readonly clock: Clock
}

/**
 * A service that speaks in messages over simulated TCP: what gRPC is between processes, without its encoding. A frame on the wire is only a
 * number, under which the exchange keeps the message; so connections behave as they do (delay, cut, kill, SIGSTOP), and what is
 * said stays typed. Messages are passed by reference: treat them as immutable.
 */
export class MessageExchange<Up, Down> {
  readonly #up = new Store<Up>()
  readonly #down = new Store<Down>()

  /** The server's side; what is returned ends it, with all its streams. */
  async listen(
    { net, clock }: StreamPorts,
    address: Address,
    accept: (stream: MessageStream<Up, Down>) => void,
  ): Promise<() => void> {
    const streams: FramedStream<Up, Down>[] = []
    const listener = await net.listen(address, (connection) => {
      const stream = new FramedStream(connection, clock, this.#up, this.#down)
      streams.push(stream)
      accept(stream)
    })
    return () => {
      void listener.close()
      for (const stream of streams) stream.hangUp('the service has ended')
    }
  }

  /** The client's side. Rejects as `net.connect` does. */
  async connect(
    { net, clock }: StreamPorts,
    address: Address,
    signal?: AbortSignal,
  ): Promise<MessageStream<Down, Up>> {
    return new FramedStream(await net.connect(address, signal), clock, this.#down, this.#up)
  }

  /** One question and its answer, over a connection of its own. Rejects when there is none, and when `signal` aborts. */
  async ask(ports: StreamPorts, address: Address, question: Up, signal: AbortSignal): Promise<Down> {
    const stream = await this.connect(ports, address, signal)
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        stream.close()
        reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'))
      }
      const settled = (): void => signal.removeEventListener('abort', leave)
      stream.start({
        message: (answer) => {
          settled()
          stream.close()
          resolve(answer)
        },
        closed: (why) => {
          settled()
          reject(new Error(why))
        },
      })
      if (signal.aborted) return leave()
      signal.addEventListener('abort', leave, { once: true })
      stream.send(question)
    })
  }
}

/** Messages on their way, by number. */
class Store<Message> {
  readonly #messages = new Map<number, Message>()
  #last = 0

  put(message: Message): number {
    this.#last += 1
    this.#messages.set(this.#last, message)
    return this.#last
  }

  take(key: number): Message {
    const message = this.#messages.get(key)
    invariant(message !== undefined, 'a message arrives once')
    this.#messages.delete(key)
    return message
  }
}

class FramedStream<In, Out> implements MessageStream<In, Out> {
  readonly #connection: Connection
  readonly #clock: Clock
  readonly #in: Store<In>
  readonly #out: Store<Out>
  #rest: Buffer = Buffer.alloc(0)
  #isOpen = true
  #heardAt: number
  #pinger: Timer | undefined
  #handlers: StreamHandlers<In> | undefined

  constructor(connection: Connection, clock: Clock, incoming: Store<In>, outgoing: Store<Out>) {
    this.#connection = connection
    this.#clock = clock
    this.#heardAt = clock.monotonic()
    this.#in = incoming
    this.#out = outgoing
  }

  get heardAt(): number {
    return this.#heardAt
  }

  start(handlers: StreamHandlers<In>): void {
    this.#handlers = handlers
    this.#pinger = this.#clock.after(PING_MS, () => this.#ping())
    this.#connection.start({
      data: (chunk) => {
        this.#heardAt = this.#clock.monotonic()
        this.#rest = Buffer.concat([this.#rest, chunk])
        while (this.#isOpen && this.#rest.length >= FRAME_BYTES) {
          const key = this.#rest.readUInt32BE(0)
          this.#rest = this.#rest.subarray(FRAME_BYTES)
          if (key !== PING) handlers.message(this.#in.take(key))
        }
      },
      drained: () => {},
      closed: (cause) => {
        this.#pinger?.cancel()
        if (!this.#isOpen) return
        this.#isOpen = false
        handlers.closed(cause?.message ?? 'the peer ended the stream')
      },
    })
  }

  send(message: Out): void {
    if (this.#isOpen) this.#write(this.#out.put(message))
  }

  close(): void {
    this.#isOpen = false
    this.#pinger?.cancel()
    this.#connection.end()
  }

  hangUp(why: string): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#pinger?.cancel()
    this.#connection.destroy()
    this.#handlers?.closed(why)
  }

  #ping(): void {
    if (this.#clock.monotonic() - this.#heardAt > SILENCE_MS) return this.hangUp('the peer is silent')
    this.#write(PING)
    this.#pinger = this.#clock.after(PING_MS, () => this.#ping())
  }

  #write(key: number): void {
    const frame = Buffer.alloc(FRAME_BYTES)
    frame.writeUInt32BE(key, 0)
    this.#connection.write(frame)
  }
}
