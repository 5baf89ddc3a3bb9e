import { joinAddress } from '@tandemmq/base'
import type { BrokerError } from '@tandemmq/base'
import { lastEpoch } from '@tandemmq/codec'
import type { MetadataStore, MetadataSyncStatus } from '@tandemmq/metadata'
import type { MemberDetails, RegistrationSource } from '@tandemmq/registry'
import type { MessageStore } from '@tandemmq/storage'
import type { BrokerOptions } from './broker-options.ts'
import type { MasterRole } from './master-role.ts'
import type { Role } from './role.ts'
import { leastInSync, waitsForReplicas, type DurabilityMode } from './durability-mode.ts'
import { followingDetails, replicaDetails } from './replication-details.ts'
import type { VisiblePosition } from './visible-position.ts'

/** A master whose disk takes no more messages; it passes by itself. */
export const NO_ROOM = 'the disk has no room for messages'

/** What a broker reads to say what it is and how it is. */
export interface SelfView {
  readonly options: BrokerOptions
  readonly instanceId: string
  readonly store: MessageStore
  readonly metadata: MetadataStore
  readonly visible: VisiblePosition
  readonly role: Role
}

/** What the registry is told: once as a hello, then as a status. */
export function selfReport(self: SelfView): RegistrationSource {
  const { options, store, role, instanceId } = self
  const ancestry = (): { readonly logId: string; readonly lastEpoch: number } => ({
    logId: store.lineage?.logId ?? '',
    lastEpoch: lastEpoch(store.lineage),
  })
  return {
    hello: () => ({
      cluster: options.cluster,
      set: options.set,
      identity: options.identity,
      instanceId,
      role: role.kind,
      grpcAddress: options.grpcAddress,
      haAddress: role.kind === 'master' ? haAddressOf(self) : (options.haIfMaster ?? ''),
      ...ancestry(),
      end: store.end,
      totalReplicas: options.totalReplicas,
      inSyncReplicas: waitsForReplicas(options.mode) ? leastInSync(options.mode) : 1,
      ...(options.appointment && { appointment: options.appointment }),
    }),
    status: () => ({
      ...ancestry(),
      end: store.end,
      flushed: store.flushed.at,
      confirmed: self.visible.at,
      dispatched: store.dispatched.at,
      writable: role.kind === 'master' && role.writability.isWritable && failureOf(self) === undefined,
      diskFull: role.kind === 'master' && store.isOutOfRoom,
      ...(role.kind === 'slave' && { masterConnected: role.masterConnected }),
      ...(role.kind === 'master' && role.steppedDown !== undefined && { steppedDown: role.steppedDown }),
      // Acknowledgements cannot be taken any more: another member can.
      ...(failureOf(self) !== undefined && { wants: 'nothing' as const }),
      details: detailsOf(self),
    }),
  }
}

/** Sentences about what is wrong with this broker now; empty = nothing. */
export function problemsOf({ store, metadata, role }: SelfView): readonly string[] {
  const problems = role.kind === 'master' ? [...role.writability.problems] : []
  if (role.kind === 'slave' && role.problem !== undefined) problems.push(role.problem)
  for (const failure of [store.fence, metadata.failure]) if (failure) problems.push(failure.message)
  return problems
}

/** A disk has failed under one of the writers: only a restart helps. */
export function failureOf({ store, metadata }: SelfView): BrokerError | undefined {
  return store.fence ?? metadata.failure
}

export function haAddressOf({ options, role }: SelfView): string {
  if (role.kind === 'slave' || options.master === undefined) return ''
  return joinAddress(options.master.haAdvertisedHost, role.haAddress.port)
}

export function detailsOf(self: SelfView): MemberDetails {
  const { options, role, store } = self
  if (role.kind === 'slave') {
    const problems = problemsOf(self)
    const sync = role.followed?.sync
    return {
      replicas: [],
      following: followingDetails(role.following()),
      okMeans: '',
      problems,
      ...(sync !== undefined && { metadataSync: syncDetails(sync.status) }),
    }
  }
  const replicas = replicaDetails(role.slaves(), store.roster)
  // Nothing is wrong with this broker, but whoever sends should know.
  const shortage = role.durability.shortageAndWayOut()
  const problems = [
    ...problemsOf(self),
    ...(self.store.isDiskFull ? [NO_ROOM] : []),
    ...(shortage === undefined ? [] : [shortage]),
    ...(isDegraded(role, options.mode) ? [`OK waits for fewer than inSyncReplicas: ${role.okMeans}`] : []),
  ]
  return { replicas, okMeans: role.okMeans, problems }
}

/** Fewer are waited for than the configuration wants, because no more are known. */
export function isDegraded(role: MasterRole, mode: DurabilityMode): boolean {
  return waitsForReplicas(mode) && role.requiredReplicas < mode.inSyncReplicas
}

function syncDetails(status: MetadataSyncStatus): NonNullable<MemberDetails['metadataSync']> {
  const { version, kinds, problem } = status
  const results = Object.entries(kinds).map(([kind, result]) => [kind, result.why ?? result.status] as const)
  return {
    lastSuccessAt: status.lastSuccessAt ?? 0,
    version: version === undefined ? '' : `${version.processEpoch}.${version.counter}`,
    results: new Map(problem === undefined ? results : [...results, ['last attempt', problem]]),
  }
}
