import type { Address, Connection, LogOffset } from '@tandemmq/base'
import { NONCE_BYTES, type Control } from '@tandemmq/codec'
import type { HaPorts } from './ha-ports.ts'
import type { ReplicatedLog } from './replicated-log.ts'
import { SlaveConnection } from './slave-connection.ts'
import { SlaveDialing } from './slave-dialing.ts'
import type { SlaveEffect, SlaveEvent } from './slave-state.ts'

type HangUp = Extract<SlaveEffect, { kind: 'hang-up' }>

/** Where a slave's master is, and how it is spoken to. */
export interface SlaveLinkOptions {
  readonly masterAddress: Address
  readonly peer: 'tandemmq' | 'apache'
  /** What has to be done once a connection stands, before anything is said on it. Must not reject. */
  readonly beforeHello?: (() => Promise<void>) | undefined
}

export interface SlaveLinkOwner {
  /** What has come of the link, as the slave's machine takes it. */
  dispatch(event: SlaveEvent): void
  /** Log bytes; only lent. */
  piece(offset: LogOffset, bytes: Buffer): void
  /** All that has come in so far has been told. */
  caughtUp(): void
}

/**
 * A slave's one link to its master: dialed, open, or neither. Every {@link dial} ends in `connect-failed`, or in `connected` and later one `closed`, unless it is
 * hung up on before; what is said while no connection stands is lost.
 */
export class SlaveLink {
  readonly #ports: Pick<HaPorts, 'clock' | 'random'>
  readonly #peer: 'tandemmq' | 'apache'
  readonly #owner: SlaveLinkOwner
  readonly #dialing: SlaveDialing
  #connection: SlaveConnection | undefined

  constructor(
    options: SlaveLinkOptions,
    ports: Pick<HaPorts, 'net' | 'clock' | 'random'>,
    owner: SlaveLinkOwner,
  ) {
    this.#ports = ports
    this.#peer = options.peer
    this.#owner = owner
    this.#dialing = new SlaveDialing(ports.net, options.masterAddress, options.beforeHello)
  }

  async dial(): Promise<void> {
    const { random, clock } = this.#ports
    const socket = await this.#dialing.dial()
    if (socket === undefined) return
    if ('reason' in socket)
      return this.#owner.dispatch({ kind: 'connect-failed', trouble: socket, jitter: this.#jitter() })
    this.#connection = this.#connectionOn(socket)
    this.#connection.start()
    this.#owner.dispatch({ kind: 'connected', nonce: random.bytes(NONCE_BYTES), wallClock: clock.now() })
  }

  write(bytes: Buffer): void {
    this.#connection?.write(bytes)
  }

  /** Dropped if the master reads nothing. */
  control(control: Control): void {
    this.#connection?.control(control)
  }

  /** The master's answer stands: what follows is its stream. */
  startStream(): void {
    this.#connection?.startStream()
  }

  /** Sends frames of `log` from `at` to its end (rule 3.2); `disk-failed` tells why it stops before. */
  lend(at: LogOffset, log: ReplicatedLog): void {
    this.#connection?.lend(at, { log, clock: this.#ports.clock }, (words) =>
      this.#owner.dispatch({ kind: 'disk-failed', words }),
    )
  }

  lendHeartbeat(): void {
    this.#connection?.lendHeartbeat()
  }

  /** Gives up the attempt to reach the master, or the connection; `closed` follows. `told`: what was said last is still sent. */
  hangUp(words: string, manner: HangUp['manner']): void {
    this.#dialing.abort(words)
    this.#connection?.close(manner === 'told' ? this.#ports.clock : undefined)
    this.#connection = undefined
    this.#owner.dispatch({ kind: 'closed', jitter: this.#jitter() })
  }

  #connectionOn(socket: Connection): SlaveConnection {
    const owner = this.#owner
    return new SlaveConnection(socket, this.#peer, {
      masterHello: (received) =>
        owner.dispatch({
          kind: 'master-hello',
          received,
          wallClock: this.#ports.clock.now(),
          certificate: socket.peerCertificate,
        }),
      answer: (answer) => owner.dispatch({ kind: 'answer', answer }),
      frame: (offset, size) => owner.dispatch({ kind: 'frame', offset, size }),
      piece: (offset, bytes) => owner.piece(offset, bytes),
      control: (control) => owner.dispatch({ kind: 'control', control }),
      caughtUp: () => owner.caughtUp(),
      violation: (words) => owner.dispatch({ kind: 'violation', words }),
      closed: (words) => {
        this.#connection = undefined
        owner.dispatch({ kind: 'closed', jitter: this.#jitter(), ...(words === undefined ? {} : { words }) })
      },
    })
  }

  /** From 0 to 1. */
  #jitter(): number {
    return this.#ports.random.below(1_000) / 1_000
  }
}
