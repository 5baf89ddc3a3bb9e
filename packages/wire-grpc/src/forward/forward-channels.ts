import type { BrokerChannel, BrokerChannels } from '../gateway/broker-channel.ts'
import { ForwardChannel, type ForwardOptions, type ForwardPorts } from './forward-channel.ts'

/** The channels of a gateway, one per broker address, each made when first asked for. */
export class ForwardChannels implements BrokerChannels {
  readonly #options: Partial<ForwardOptions>
  readonly #ports: ForwardPorts
  readonly #channels = new Map<string, ForwardChannel>()
  readonly #listeners = new Set<(grpcAddress: string) => void>()

  constructor(options: Partial<ForwardOptions>, ports: ForwardPorts) {
    this.#options = options
    this.#ports = ports
  }

  to(grpcAddress: string): BrokerChannel {
    const known = this.#channels.get(grpcAddress)
    if (known) return known
    const channel = new ForwardChannel(grpcAddress, this.#options, this.#ports, () => {
      for (const listener of this.#listeners) listener(grpcAddress)
    })
    this.#channels.set(grpcAddress, channel)
    return channel
  }

  onChange(listener: (grpcAddress: string) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Closes the channels to all other addresses: brokers that are no members any more. */
  retain(grpcAddresses: ReadonlySet<string>): void {
    for (const [address, channel] of this.#channels) {
      if (grpcAddresses.has(address)) continue
      this.#channels.delete(address)
      channel.close()
    }
  }

  close(): void {
    this.retain(new Set())
  }
}
