import { GenericContainer, PullPolicy, Wait } from 'testcontainers'
import { labels } from './labels.ts'

/** A container on one network alone, under its name and perhaps others, hardened as compose does it: nothing can be written but its data. */
export class WiredContainer extends GenericContainer {
  constructor(image: string, network: string, name: string, aliases: readonly string[] = []) {
    super(image)
    this.withName(`${network}-${name}`)
    this.withLabels({ ...labels })
    this.withNetworkMode(network)
    this.withPullPolicy(PullPolicy.neverPull())
    this.withDroppedCapabilities('ALL')
    this.withSecurityOpt('no-new-privileges')
    // Who is ready when is the test's matter: here it is enough that the process speaks.
    this.withWaitStrategy(Wait.forLogMessage(/./))
    this.hostConfig.ReadonlyRootfs = true
    // As in compose: what a process leaves is reaped, and a SIGTERM is heard from the first moment.
    this.hostConfig.Init = true
    // The tests ask /readyz themselves; one process more every few seconds would only take from them.
    this.createOpts.Healthcheck = { Test: ['NONE'] }
    this.createOpts.NetworkingConfig = { EndpointsConfig: { [network]: { Aliases: [name, ...aliases] } } }
  }
}
