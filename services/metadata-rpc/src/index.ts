export { metadataRpcKeys, type MetadataRpcValues } from './metadata-rpc-keys.ts'
export { startMetadataRpc } from './start-metadata-rpc.ts'
export { adminRoutes } from './admin-routes.ts'
export type { ClusterView } from './cluster-view.ts'
