import { Clients, Workload } from '@tandemmq/interop'

/** How many sends may be answered too late where nobody is to hear of anything; 0 on a quiet machine. */
export const LATE_MAX = 2
const LATE = /FATE_UNKNOWN: the broker gave no answer in time|DEADLINE_EXCEEDED/

export interface LoadOptions {
  /** Messages that wait before the consumer begins: it has something to read while nobody can send. */
  readonly backlog?: number
  /** The consumer's application writes exceptions down and goes on; otherwise one ends the test. */
  readonly bearExceptions?: boolean
  /** The least length of a message's body. */
  readonly bodyBytes?: number
}

/** A producer that never stops and a consumer group that never stops, on a topic of their own, by the official client. */
export class Load implements AsyncDisposable {
  readonly work: Workload
  readonly #clients: Clients
  readonly #sending: Promise<void>
  readonly #consume: () => Promise<void>

  private constructor(
    work: Workload,
    clients: Clients,
    sending: Promise<void>,
    consume: () => Promise<void>,
  ) {
    this.work = work
    this.#clients = clients
    this.#sending = sending
    this.#consume = consume
  }

  /** `cluster`: where clients find it. Resolves when the first messages are consumed. */
  static async start(
    cluster: { readonly endpoints: string },
    topic: string,
    options: LoadOptions = {},
  ): Promise<Load> {
    const { backlog = 0, bearExceptions = false, bodyBytes = 0 } = options
    const clients = new Clients(cluster)
    const work = new Workload(topic, bodyBytes)
    const producer = await clients.producer(topic)
    while (work.accepted < backlog) await Promise.all(Array.from({ length: 40 }, () => work.send(producer)))
    const sending = work.keepSending(producer)
    const consumer = await clients.simple(`${topic}-group`, topic)
    const consume = (): Promise<void> =>
      bearExceptions ? work.keepConsumingAnyway(consumer) : work.keepConsuming(consumer)
    void consume()
    await work.reached(() => work.consumed >= 20)
    return new Load(work, clients, sending, consume)
  }

  /** Resolves when this many more messages were accepted. */
  async accepts(more: number): Promise<void> {
    const before = this.work.accepted
    await this.work.reached(() => this.work.accepted >= before + more)
  }

  /** Resolves when this many more messages were consumed. */
  async consumes(more: number): Promise<void> {
    const before = this.work.consumed
    await this.work.reached(() => this.work.consumed >= before + more)
  }

  /** Resolves when this many more sends were answered with anything but OK. */
  async refuses(more: number): Promise<void> {
    const before = this.work.sendFailures.length
    await this.work.reached(() => this.work.sendFailures.length >= before + more)
  }

  /** What the producer was told instead of OK, but for {@link late}. */
  get refusals(): readonly string[] {
    return this.#failures.filter((text) => !LATE.test(text))
  }

  /**
   * Sends whose answer did not come in time. Where nobody is to hear of anything, {@link LATE_MAX} are borne: on a loaded machine a
   * process may stand still for as long as a send may take. A service that hangs costs more, for one send follows the other.
   */
  get late(): readonly string[] {
    return this.#failures.filter((text) => LATE.test(text))
  }

  get #failures(): readonly string[] {
    return this.work.sendFailures.map(({ message }) => message)
  }

  /** No more receives; the producer goes on. */
  stopConsuming(): void {
    this.work.stopConsuming()
  }

  /** After {@link stopConsuming}. */
  consumeAgain(): void {
    this.work.goOn()
    void this.#consume()
  }

  /** No more sends; the consumer goes on. */
  async stopSending(): Promise<void> {
    this.work.stopSending()
    await this.#sending
  }

  /** Resolves when all that was acknowledged has arrived. */
  async complete(): Promise<void> {
    await this.work.reached(() => this.work.ledger.isComplete)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopSending()
    this.work.stopConsuming()
    await this.#clients[Symbol.asyncDispose]()
  }
}
