import { BrokerError } from '@tandemmq/base'
import type { MetadataStore } from '@tandemmq/metadata'
import type { MessageStore } from '@tandemmq/storage'
import type { BrokerOptions, BrokerPorts } from './broker-options.ts'
import { MasterRole } from './master-role.ts'
import type { ReplicatedStore } from './replicated-store.ts'
import type { Role } from './role.ts'
import { SlaveRole } from './slave-role.ts'

/** Master or slave, as configured; throws `CONFIG_INVALID` if it is neither. */
export async function openRole(
  options: BrokerOptions,
  ports: BrokerPorts,
  store: MessageStore,
  metadata: MetadataStore,
  log: ReplicatedStore,
  instanceId: string,
): Promise<Role> {
  if (options.master !== undefined) {
    return MasterRole.open(options, options.master, ports, store, log, instanceId)
  }
  if (options.slave === undefined) {
    throw new BrokerError('CONFIG_INVALID', 'a broker is the master of its set or a slave of one')
  }
  return SlaveRole.open(options, options.slave, ports, store, metadata, log, instanceId)
}
