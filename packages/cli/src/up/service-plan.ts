import { join } from 'node:path'
import type { UpOptions } from './options.ts'

export type ServiceKind = 'metadata-rpc' | 'broker-master' | 'broker-slave'

/** One process of the cluster before it has ports. */
export interface ServicePlan {
  /** `broker-master`, and from the second set on `broker-b-master`. */
  readonly name: string
  readonly kind: ServiceKind
  /** Broker set; empty for metadata-rpc. */
  readonly set: string
  /** 0: the master; slaves from 1. */
  readonly brokerId: number
}

/** Where the service finds the others, and the port numbers it listens on. */
export interface ServicePorts {
  readonly grpc: number
  readonly http: number
  /** 0: metadata-rpc, which has none. */
  readonly ha: number
}

export type ConfValues = Readonly<Record<string, string | number | boolean>>

/** The services are for this machine only: nothing listens beyond the loopback interface. */
export const HOST = '127.0.0.1'
const CLUSTER = 'DefaultCluster'
/** Small disks and a fast start; a broker on its own has Apache's 1 GiB. */
const SEGMENT_BYTES = 64 * 1024 * 1024
/** An index file of 8 MB, of which 400 kB in memory; Apache's has 420 MB. */
const INDEX = { maxHashSlotNum: 100_000, maxIndexNum: 400_000 }

/** The processes of a cluster, in the order in which they are started. */
export function planServices(options: Pick<UpOptions, 'sets' | 'slaves'>): readonly ServicePlan[] {
  const plans: ServicePlan[] = [{ name: 'metadata-rpc', kind: 'metadata-rpc', set: '', brokerId: 0 }]
  for (let index = 0; index < options.sets; index += 1) {
    const set = setName(index)
    const prefix = index === 0 ? 'broker' : set
    plans.push({ name: `${prefix}-master`, kind: 'broker-master', set, brokerId: 0 })
    for (let brokerId = 1; brokerId <= options.slaves; brokerId += 1) {
      const name = brokerId === 1 ? `${prefix}-slave` : `${prefix}-slave-${brokerId}`
      plans.push({ name, kind: 'broker-slave', set, brokerId })
    }
  }
  return plans
}

/** What stands in the service's configuration file. */
export function confOf(
  plan: ServicePlan,
  portsOf: (name: string) => ServicePorts,
  plans: readonly ServicePlan[],
  options: UpOptions,
): ConfValues {
  const { grpc, http, ha } = portsOf(plan.name)
  const common = {
    listenAddress: HOST,
    grpcPort: grpc,
    httpPort: http,
    storePathRootDir: join(options.data, plan.name),
    setSecretFile: setSecretFile(options.data),
    adminTokenFile: adminTokenFile(options.data),
  }
  if (plan.kind === 'metadata-rpc') {
    const sets = [...new Set(plans.map(({ set }) => set).filter((set) => set !== ''))]
    return {
      clusterName: CLUSTER,
      ...common,
      brokerSets: sets.join(','),
    }
  }
  const isMaster = plan.kind === 'broker-master'
  const master =
    plans.find(({ set, kind }) => set === plan.set && kind === 'broker-master')?.name ?? plan.name
  const following = {
    haMasterAddress: `${HOST}:${portsOf(master).ha}`,
    masterGrpcAddress: `${HOST}:${portsOf(master).grpc}`,
  }
  const isSync = options.replication === 'sync'
  return {
    brokerClusterName: CLUSTER,
    brokerName: plan.set,
    brokerId: plan.brokerId,
    brokerRole: isMaster ? `${options.replication.toUpperCase()}_MASTER` : 'SLAVE',
    brokerIP1: HOST,
    ...common,
    haListenPort: ha,
    ...(isMaster ? {} : { ...following, roleIfPromoted: `${options.replication.toUpperCase()}_MASTER` }),
    namesrvAddr: `${HOST}:${portsOf('metadata-rpc').grpc}`,
    flushDiskType: `${options.flush.toUpperCase()}_FLUSH`,
    ...(isSync ? { inSyncReplicas: 2 } : {}),
    totalReplicas: options.slaves + 1,
    mappedFileSizeCommitLog: SEGMENT_BYTES,
    // How full the disk of a developer is says nothing about what may be thrown away.
    cleanFileForciblyEnable: false,
    ...INDEX,
    autoCreateTopicEnable: options.autoCreate === 'on',
    autoCreateSubscriptionGroup: options.autoCreate === 'on',
  }
}

export function confFile(data: string, service: string): string {
  return join(data, 'conf', `${service}.conf`)
}

export function setSecretFile(data: string): string {
  return join(data, 'conf', 'set-secret')
}

export function adminTokenFile(data: string): string {
  return join(data, 'conf', 'admin-token')
}

/** `broker-a`, `broker-b` … `broker-z`. */
function setName(index: number): string {
  return `broker-${String.fromCharCode('a'.charCodeAt(0) + index)}`
}
