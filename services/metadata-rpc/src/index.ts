export { metadataRpcKeys, type MetadataRpcValues } from './metadata-rpc-keys.ts'
export { startMetadataRpc } from './start-metadata-rpc.ts'
