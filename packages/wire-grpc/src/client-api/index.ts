export type { CallTarget, ConsumerPresence } from './call-target.ts'
export { BrokerCalls } from './broker-calls.ts'
