import type { ServiceKind } from './images.ts'

/** How one service is told, by its environment, where it is and who the others are. Names are those of the cluster's network. */
export interface ServicePlan {
  readonly name: ServiceName
  readonly kind: ServiceKind
  readonly environment: Readonly<Record<string, string>>
  /** Names that it shares with others. */
  readonly aliases?: readonly string[]
}

export type ServiceName =
  | 'metadata-rpc'
  | 'metadata-rpc-2'
  | 'broker-master'
  | 'broker-slave'
  | 'broker-slave-2'

export type Replication = 'async' | 'sync'

export interface SetShape {
  readonly replication: Replication
  /** 1 or 2 */
  readonly slaves: number
  /** Whether a second metadata-rpc relays for the first; both are called {@link GATEWAYS} too. */
  readonly relay: boolean
}

export const SET = 'broker-a'
export const GATEWAYS = 'gateways'
export const GRPC_PORT = 8081
export const HTTP_PORT = 8080
const HA_PORT = 10_912
/** Small, so that a test of a minute rolls over several files. */
const SEGMENT_BYTES = 4 * 1024 * 1024

export function servicePlans({ replication, slaves, relay }: SetShape): readonly ServicePlan[] {
  const broker = {
    TANDEMMQ_BROKER_NAME: SET,
    TANDEMMQ_NAMESRV_ADDR: `metadata-rpc:${GRPC_PORT}`,
    TANDEMMQ_TOTAL_REPLICAS: String(slaves + 1),
    TANDEMMQ_MAPPED_FILE_SIZE_COMMIT_LOG: String(SEGMENT_BYTES),
  }
  const slavePlans = (['broker-slave', 'broker-slave-2'] as const).slice(0, slaves).map((name, index) => ({
    name,
    kind: 'broker-slave' as const,
    environment: {
      ...broker,
      TANDEMMQ_BROKER_ID: String(index + 1),
      TANDEMMQ_BROKER_IP1: name,
      TANDEMMQ_HA_MASTER_ADDRESS: `broker-master:${HA_PORT}`,
      TANDEMMQ_MASTER_GRPC_ADDRESS: `broker-master:${GRPC_PORT}`,
    },
  }))
  return [
    ...gatewayPlans(relay),
    {
      name: 'broker-master',
      kind: 'broker-master',
      environment: {
        ...broker,
        TANDEMMQ_BROKER_ROLE: `${replication.toUpperCase()}_MASTER`,
        TANDEMMQ_BROKER_IP1: 'broker-master',
      },
    },
    ...slavePlans,
  ]
}

function gatewayPlans(relay: boolean): readonly ServicePlan[] {
  const environment = { TANDEMMQ_BROKER_SETS: SET }
  if (!relay) return [{ name: 'metadata-rpc', kind: 'metadata-rpc', environment }]
  const grantor = { TANDEMMQ_GRANTOR_ADDRESS: `metadata-rpc:${GRPC_PORT}` }
  const both = { kind: 'metadata-rpc', aliases: [GATEWAYS] } as const
  return [
    { name: 'metadata-rpc', ...both, environment },
    { name: 'metadata-rpc-2', ...both, environment: { ...environment, ...grantor } },
  ]
}
