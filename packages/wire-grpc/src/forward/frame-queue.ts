/** What a frame queue writes to: a stream of grpc-js. */
export interface FrameSink<Message> {
  write(message: Message): boolean
  once(event: 'drain', listener: () => void): unknown
}

interface Queued<Frame> {
  readonly frame: Frame
  readonly bytes: number
}

/** A message is not filled beyond this, unless one frame alone is larger. */
const MESSAGE_BYTES = 512 * 1024

/**
 * Gathers the frames of one turn of the event loop into one message, and holds back what the stream has no room for. So it is known of
 * every frame whether it may have left.
 */
export class FrameQueue<Frame extends object, Message> {
  readonly #sink: FrameSink<Message>
  readonly #wrap: (frames: Frame[]) => Message
  readonly #onLeaving: (frame: Frame) => void
  /** In order of arrival; a Set, so that what nobody wants any more can be taken out. */
  readonly #queued = new Map<Frame, Queued<Frame>>()
  #bytes = 0
  #isScheduled = false
  #isFull = false
  #isClosed = false
  #onRoom: (() => void) | undefined

  constructor(
    sink: FrameSink<Message>,
    wrap: (frames: Frame[]) => Message,
    onLeaving: (frame: Frame) => void = () => {},
  ) {
    this.#sink = sink
    this.#wrap = wrap
    this.#onLeaving = onLeaving
  }

  /** Bytes that have not left. */
  get queuedBytes(): number {
    return this.#bytes
  }

  /** Not yet handed to the stream. */
  has(frame: Frame): boolean {
    return this.#queued.has(frame)
  }

  push(frame: Frame, bytes: number): void {
    if (this.#isClosed) return
    this.#queued.set(frame, { frame, bytes })
    this.#bytes += bytes
    if (this.#isScheduled || this.#isFull) return
    this.#isScheduled = true
    setImmediate(() => this.#flush())
  }

  /** Takes a frame out; false if it has left. */
  remove(frame: Frame): boolean {
    const queued = this.#queued.get(frame)
    if (!queued) return false
    this.#bytes -= queued.bytes
    return this.#queued.delete(frame)
  }

  /** Calls `listener` once, when everything has been handed to the stream. */
  whenEmpty(listener: () => void): void {
    this.#onRoom = listener
  }

  /** Nothing is written any more. */
  close(): void {
    this.#isClosed = true
    this.#queued.clear()
    this.#bytes = 0
  }

  #flush(): void {
    this.#isScheduled = false
    while (this.#queued.size > 0 && !this.#isFull && !this.#isClosed) {
      const frames = this.#take()
      this.#isFull = !this.#sink.write(this.#wrap(frames))
    }
    if (this.#isFull) {
      this.#sink.once('drain', () => {
        this.#isFull = false
        this.#flush()
      })
      return
    }
    const onRoom = this.#onRoom
    this.#onRoom = undefined
    onRoom?.()
  }

  #take(): Frame[] {
    const frames: Frame[] = []
    let bytes = 0
    for (const queued of this.#queued.values()) {
      if (frames.length > 0 && bytes + queued.bytes > MESSAGE_BYTES) break
      bytes += queued.bytes
      frames.push(queued.frame)
      this.#queued.delete(queued.frame)
      this.#onLeaving(queued.frame)
    }
    this.#bytes -= bytes
    return frames
  }
}
