export { ApacheBroker } from './apache-broker.ts'
export { ApacheClient } from './apache-client.ts'
