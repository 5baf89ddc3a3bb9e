import type { HaMember } from '@tandemmq/ha-protocol'
import type { BrokerOptions } from './broker-options.ts'

/** Who this broker is to the others of its set, in either role. */
export function haMember(options: BrokerOptions, instanceId: string): HaMember {
  const { cluster, set, identity, secret, certified } = options
  return {
    cluster,
    set,
    identity,
    instanceId,
    ...(secret === undefined ? {} : { secret }),
    ...(certified === undefined ? {} : { certified }),
  }
}
