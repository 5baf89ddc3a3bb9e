export { Ledger, type LedgerTotals } from './ledger.ts'
export { LocalCluster, freshDirectory, type ReadyLine, type ServiceLine } from './local-cluster.ts'
export { Clients } from './clients.ts'
export { quietClientLog } from './quiet-client-log.ts'
