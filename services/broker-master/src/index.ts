import { startBroker } from '@tandemmq/broker-process'
import type { ConfigurationSources, RunningService } from '@tandemmq/platform-node'

/** Starts one broker as master of its set. */
export function startBrokerMaster(sources: ConfigurationSources): Promise<RunningService> {
  return startBroker('master', sources)
}
