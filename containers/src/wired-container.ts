import { GenericContainer, PullPolicy, Wait } from 'testcontainers'
import { labels } from './labels.ts'

/** A container on one network alone, under one name, hardened as compose does it: nothing can be written but its data. */
export class WiredContainer extends GenericContainer {
  constructor(image: string, network: string, alias: string) {
    super(image)
    this.withName(`${network}-${alias}`)
    this.withLabels({ ...labels })
    this.withNetworkMode(network)
    this.withPullPolicy(PullPolicy.neverPull())
    this.withDroppedCapabilities('ALL')
    this.withSecurityOpt('no-new-privileges')
    // Who is ready when is the test's matter: here it is enough that the process speaks.
    this.withWaitStrategy(Wait.forLogMessage(/./))
    this.hostConfig.ReadonlyRootfs = true
    this.createOpts.NetworkingConfig = { EndpointsConfig: { [network]: { Aliases: [alias] } } }
  }
}
