/** What a frame queue writes to: a stream of grpc-js. It takes 16 messages of any size before it says that it is full, so that is not asked. */
export interface FrameSink<Message> {
  /** @param onLeft called when the message has gone on to the connection */
  write(message: Message, onLeft: () => void): unknown
}

/** Frames of one lane keep their order. Those that go first overtake bulk, which is sent when nothing else is to be. */
export type Lane = 'first' | 'bulk'

interface Queued {
  readonly bytes: number
  readonly lane: Lane
}

interface FrameQueueListeners<Frame> {
  /** A frame is handed to the stream in this moment. */
  readonly onLeaving?: (frame: Frame) => void
  /** Frames have left, and there is room for as many. */
  readonly onRoom?: () => void
}

/** A message is not filled beyond this, unless one frame alone is larger. */
const MESSAGE_BYTES = 512 * 1024
/** So much may be on its way from the stream to the connection, and one message more: what cannot be overtaken any more. */
const LEAVING_BYTES = 512 * 1024

/**
 * Gathers the frames of one turn of the event loop into one message, and holds back what the stream has no room for. So it is known of
 * every frame whether it may have left.
 */
export class FrameQueue<Frame extends object, Message> {
  readonly #sink: FrameSink<Message>
  readonly #wrap: (frames: Frame[]) => Message
  readonly #listeners: FrameQueueListeners<Frame>
  /** In order of arrival; maps, so that what nobody wants any more can be taken out. */
  readonly #lanes: Readonly<Record<Lane, Map<Frame, Queued>>> = { first: new Map(), bulk: new Map() }
  readonly #bytes: Record<Lane, number> = { first: 0, bulk: 0 }
  #leavingBytes = 0
  #isScheduled = false
  #isClosed = false
  /** Bulk had to wait for the last message: now it goes, so that it cannot wait for ever. */
  #isBulkDue = false

  constructor(
    sink: FrameSink<Message>,
    wrap: (frames: Frame[]) => Message,
    listeners: FrameQueueListeners<Frame> = {},
  ) {
    this.#sink = sink
    this.#wrap = wrap
    this.#listeners = listeners
  }

  /** Bytes that have not left, of one lane or of both. */
  queuedBytes(lane?: Lane): number {
    return lane ? this.#bytes[lane] : this.#bytes.first + this.#bytes.bulk
  }

  /** Not yet handed to the stream. */
  has(frame: Frame): boolean {
    return this.#lanes.first.has(frame) || this.#lanes.bulk.has(frame)
  }

  push(frame: Frame, bytes: number, lane: Lane = 'first'): void {
    if (this.#isClosed) return
    this.#lanes[lane].set(frame, { bytes, lane })
    this.#bytes[lane] += bytes
    if (this.#isScheduled || this.#isFull) return
    this.#isScheduled = true
    setImmediate(() => this.#flush())
  }

  /** Takes a frame out; false if it has left. */
  remove(frame: Frame): boolean {
    const queued = this.#lanes.first.get(frame) ?? this.#lanes.bulk.get(frame)
    if (queued) this.#takeOut(frame, queued)
    return queued !== undefined
  }

  /** Takes out all frames of a lane that are so. */
  removeAll(lane: Lane, isUnwanted: (frame: Frame) => boolean): void {
    for (const [frame, queued] of this.#lanes[lane]) if (isUnwanted(frame)) this.#takeOut(frame, queued)
  }

  /** Nothing is written any more. */
  close(): void {
    this.#isClosed = true
    for (const lane of ['first', 'bulk'] as const) {
      this.#lanes[lane].clear()
      this.#bytes[lane] = 0
    }
  }

  get #isFull(): boolean {
    return this.#leavingBytes >= LEAVING_BYTES
  }

  #flush(): void {
    this.#isScheduled = false
    while (this.#lanes.first.size + this.#lanes.bulk.size > 0 && !this.#isFull && !this.#isClosed) {
      const { frames, bytes } = this.#take()
      this.#leavingBytes += bytes
      this.#sink.write(this.#wrap(frames), () => this.#left(bytes))
    }
  }

  #left(bytes: number): void {
    this.#leavingBytes -= bytes
    if (this.#isClosed) return
    if (!this.#isScheduled) this.#flush()
    this.#listeners.onRoom?.()
  }

  #take(): { readonly frames: Frame[]; readonly bytes: number } {
    const frames: Frame[] = []
    let bytes = 0
    let hasBulk = false
    for (const [frame, queued] of this.#inOrder()) {
      if (frames.length > 0 && bytes + queued.bytes > MESSAGE_BYTES) break
      bytes += queued.bytes
      hasBulk ||= queued.lane === 'bulk'
      frames.push(frame)
      this.#takeOut(frame, queued)
      this.#listeners.onLeaving?.(frame)
    }
    this.#isBulkDue = this.#lanes.bulk.size > 0 && !hasBulk
    return { frames, bytes }
  }

  *#inOrder(): Iterable<readonly [Frame, Queued]> {
    const { first, bulk } = this.#lanes
    yield* this.#isBulkDue ? bulk : first
    yield* this.#isBulkDue ? first : bulk
  }

  #takeOut(frame: Frame, { bytes, lane }: Queued): void {
    this.#bytes[lane] -= bytes
    this.#lanes[lane].delete(frame)
  }
}
