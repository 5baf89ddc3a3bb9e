export { startBroker } from './start-broker.ts'
export { brokerKeys, type BrokerValues } from './broker-keys.ts'
export { brokerOptions, readBrokerConfiguration, type ServiceRole } from './broker-settings.ts'
