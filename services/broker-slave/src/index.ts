import { startBroker } from '@tandemmq/broker-process'
import type { ConfigurationSources, RunningService } from '@tandemmq/platform-node'

/** Starts one broker as slave of its set. */
export function startBrokerSlave(sources: ConfigurationSources): Promise<RunningService> {
  return startBroker('slave', sources)
}
