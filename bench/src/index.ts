export { containers } from './containers.ts'
export { startup } from './startup.ts'
export { throughput } from './throughput.ts'
