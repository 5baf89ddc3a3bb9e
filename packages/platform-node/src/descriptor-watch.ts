import { closeSync, openSync } from 'node:fs'
import {
  isOutOfDescriptors,
  SparingLogger,
  type Clock,
  type Counter,
  type Logger,
  type Meter,
  type Timer,
} from '@tandemmq/base'
import { descriptorLimit } from './descriptor-limit.ts'

/** A want that begins and ends between two looks is not seen. */
const LOOK_EVERY_MS = 1_000
export interface DescriptorWatchPorts {
  readonly clock: Clock
  readonly logger: Logger
  readonly meter: Meter
}

/**
 * Notices that no file descriptor is left. libuv then accepts new connections and closes them at once, and tells nobody (`uv__emfile_trick`),
 * so a descriptor is taken and given back every second, about 20 µs: where that fails with `EMFILE` or `ENFILE`, a connection would fail too.
 */
export class DescriptorWatch implements Disposable {
  readonly #ports: DescriptorWatchPorts
  readonly #take: () => void
  readonly #began: Counter
  readonly #limit = descriptorLimit()
  readonly #logger: Logger
  /** Monotonic, ms. */
  #outSince: number | undefined
  #timer: Timer

  /** @param take takes a descriptor and gives it back; throws the system's error if there is none */
  constructor(ports: DescriptorWatchPorts, take: () => void = takeOne) {
    this.#ports = ports
    this.#logger = new SparingLogger(ports.logger, ports.clock)
    this.#take = take
    this.#began = ports.meter.counter(
      'rocketmq_ha_descriptors_exhausted_total',
      'Times that no file descriptor was left: new connections were closed and files not opened until there were some again.',
    )
    this.#timer = this.#arm()
  }

  [Symbol.dispose](): void {
    this.#timer.cancel()
  }

  #arm(): Timer {
    return this.#ports.clock.after(LOOK_EVERY_MS, () => {
      this.#timer = this.#arm()
      this.#look()
    })
  }

  #look(): void {
    try {
      this.#take()
    } catch (thrown) {
      if (isOutOfDescriptors(thrown)) this.#isOut()
      return
    }
    this.#isOver()
  }

  #isOut(): void {
    if (this.#outSince !== undefined) return
    this.#outSince = this.#ports.clock.monotonic()
    this.#began.add()
    this.#logger.warn(
      { limit: this.#limit },
      'no file descriptor is left: new connections are closed unanswered, and files cannot be opened (ulimit -n)',
    )
  }

  #isOver(): void {
    if (this.#outSince === undefined) return
    const afterMs = Math.round(this.#ports.clock.monotonic() - this.#outSince)
    this.#outSince = undefined
    this.#logger.warn({ afterMs }, 'there are file descriptors again: new connections are taken')
  }
}

function takeOne(): void {
  closeSync(openSync('/dev/null', 'r'))
}
