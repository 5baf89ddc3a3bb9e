export { Broker, type Role } from './broker.ts'
export type { BrokerOptions, BrokerPorts, MasterOptions, SlaveOptions } from './broker-options.ts'
export { okMeans, type DurabilityMode } from './durability-mode.ts'
export type { CreationRules } from './topics-and-groups.ts'
