export type { BrokerChannel, BrokerChannels } from './broker-channel.ts'
export { Gateway, type GatewayParts } from './gateway.ts'
