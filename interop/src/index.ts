export { Ledger, type LedgerTotals } from './ledger.ts'
export { LocalCluster, type ReadyLine, type ServiceLine } from './local-cluster.ts'
export { quietClientLog } from './quiet-client-log.ts'
