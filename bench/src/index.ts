export { startup } from './startup.ts'
export { throughput } from './throughput.ts'
