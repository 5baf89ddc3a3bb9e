import type { BrokerOptions } from '@tandemmq/broker'
import type { TlsFiles } from '@tandemmq/platform-node'

/** What a child of the benchmark is to be. */
export interface MemberRequest {
  readonly role: 'master' | 'slave'
  readonly replication: 'sync' | 'async'
  readonly root: string
  /** Of the master's HA port; 0 for a master: any. */
  readonly haPort: number
  /** Replication in mutual TLS. */
  readonly tls?: TlsFiles
}

const SEGMENT_BYTES = 64 * 1024 * 1024

/** A broker without a registry, as the launcher would configure it otherwise. */
export function memberOptions({ role, replication, root, haPort, tls }: MemberRequest): BrokerOptions {
  const ha = { host: '127.0.0.1', port: haPort }
  return {
    cluster: 'Bench',
    set: 'broker-a',
    identity: role,
    totalReplicas: 2,
    root,
    bootId: 'bench',
    segmentBytes: SEGMENT_BYTES,
    index: { slots: 100_000, entries: 400_000 },
    maxMessageBytes: 4 * 1024 * 1024,
    storeHost: { ip: '127.0.0.1', port: 10_911 },
    mode: { replication, flush: 'async', inSyncReplicas: 2 },
    create: { topics: true, groups: true, queues: 8 },
    grpcAddress: '127.0.0.1:1',
    flushTimeoutMs: 5_000,
    slaveTimeoutMs: 10_000,
    ...(tls === undefined ? {} : { certified: true }),
    ...(role === 'master'
      ? { master: { haListen: ha, haAdvertisedHost: ha.host, createLog: true, acceptLoss: false } }
      : {
          slave: { masterHa: ha, masterGrpc: '127.0.0.1:1', pullIntervalMs: 600_000, watch: false },
        }),
  }
}
