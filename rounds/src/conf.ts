import { join } from 'node:path'
import type { Network } from './network.ts'

/** How the brokers of a cluster are set up. */
export interface ClusterMode {
  readonly flush: 'ASYNC_FLUSH' | 'SYNC_FLUSH'
  readonly slaves: number
}

export type Conf = Readonly<Record<string, string | number | boolean>>

export const METADATA = 'metadata-rpc'
export const MASTER = 'broker-master'
export const SET = 'broker-a'
export const GRPC_PORT = 8081
export const HTTP_PORT = 8080
const HA_PORT = 10912
/** Small, so that every round rolls to further files. */
export const SEGMENT_BYTES = 1024 * 1024
export const MESSAGE_BYTES_MAX = 64 * 1024

/** `broker-slave`, `broker-slave-2` … */
export function slaveNames(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) =>
    index === 0 ? 'broker-slave' : `broker-slave-${index + 1}`,
  )
}

export function secretFile(directory: string): string {
  return join(directory, 'set-secret')
}

export function adminTokenFile(directory: string): string {
  return join(directory, 'admin-token')
}

/** What all services are told. `name`: of the machine; `directory`: of the cluster; `store`: as the service sees it. */
function commonConf(name: string, network: Network, directory: string, store: string): Conf {
  return {
    listenAddress: network.address(name),
    grpcPort: GRPC_PORT,
    httpPort: HTTP_PORT,
    storePathRootDir: store,
    setSecretFile: secretFile(directory),
    adminTokenFile: adminTokenFile(directory),
    logFormat: 'json',
  }
}

export function metadataConf(network: Network, directory: string, store: string): Conf {
  return { ...commonConf(METADATA, network, directory, store), brokerSets: SET }
}

/** `brokerId`: 0 is the master. */
export function brokerConf(
  name: string,
  brokerId: number,
  mode: ClusterMode,
  parts: { readonly network: Network; readonly directory: string; readonly store: string },
): Conf {
  const { network, directory, store } = parts
  const following = {
    haMasterAddress: `${network.address(MASTER)}:${HA_PORT}`,
    masterGrpcAddress: `${network.address(MASTER)}:${GRPC_PORT}`,
  }
  return {
    ...commonConf(name, network, directory, store),
    brokerName: SET,
    brokerId,
    brokerRole: brokerId === 0 ? 'SYNC_MASTER' : 'SLAVE',
    brokerIP1: network.address(name),
    haListenPort: HA_PORT,
    ...(brokerId === 0 ? {} : following),
    namesrvAddr: `${network.address(METADATA)}:${GRPC_PORT}`,
    flushDiskType: mode.flush,
    inSyncReplicas: 2,
    totalReplicas: mode.slaves + 1,
    mappedFileSizeCommitLog: SEGMENT_BYTES,
    maxMessageSize: MESSAGE_BYTES_MAX,
    cleanFileForciblyEnable: false,
    maxHashSlotNum: 10_000,
    maxIndexNum: 40_000,
  }
}
