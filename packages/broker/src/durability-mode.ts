/** What a master promises with OK: Apache's `brokerRole`, `flushDiskType` and `inSyncReplicas`, in our words. */
export interface DurabilityMode {
  /** `sync` = SYNC_MASTER, `async` = ASYNC_MASTER. */
  readonly replication: 'async' | 'sync'
  /** `sync` = SYNC_FLUSH, `async` = ASYNC_FLUSH. */
  readonly flush: 'async' | 'sync'
  /** Identities that must hold a message before OK, master included; ≥ 1. Means something with sync replication only. */
  readonly inSyncReplicas: number
  /**
   * Present: while fewer are known, OK waits for as many as are known, and for no fewer than these, ≥ 1 (`minInSyncReplicas`, with
   * `enableAutoInSyncReplicas`). Absent: then nothing is stored.
   */
  readonly leastInSyncReplicas?: number
}

/** The fewest identities that OK may have meant in this mode: what a lost tail and a promotion have to reckon with. */
export function leastInSync({
  inSyncReplicas,
  leastInSyncReplicas = inSyncReplicas,
}: DurabilityMode): number {
  return leastInSyncReplicas
}

/** True when OK waits for at least one machine besides this one. */
export function waitsForReplicas(mode: DurabilityMode): boolean {
  return mode.replication === 'sync' && mode.inSyncReplicas > 1
}

/**
 * For people, to go behind "OK means:": what an OK of this master promises. Printed at start-up, shown in the cluster's state.
 * @param required how many identities it waits for now; fewer than `inSyncReplicas` while too few are known, where that is allowed
 */
export function okMeans(mode: DurabilityMode, required = mode.inSyncReplicas): string {
  const least = leastInSync(mode)
  if (!waitsForReplicas(mode) || least === mode.inSyncReplicas) return meaning(mode)
  const now = meaning({ ...mode, inSyncReplicas: required })
  if (required < mode.inSyncReplicas) {
    return `${now} Degraded: inSyncReplicas=${mode.inSyncReplicas}, but no more than ${required} (master included) can acknowledge now.`
  }
  const fewest = least === 1 ? 'for this master alone' : `for ${least}, this master included`
  return `${now} With fewer replicas known it waits for less, at least ${fewest} (enableAutoInSyncReplicas).`
}

function meaning(mode: DurabilityMode): string {
  const flushed = mode.flush === 'sync'
  if (mode.replication === 'async') {
    return flushed
      ? "on this master's disk (fdatasync). Survives a power cut of the master, not the loss of its machine."
      : "appended to this master's log. Survives a crash of the process, not a power cut; replicas follow behind."
  }
  if (mode.inSyncReplicas <= 1) {
    const why =
      mode.leastInSyncReplicas === undefined
        ? 'inSyncReplicas=1 waits for nobody, although the role is SYNC_MASTER.'
        : 'no replica is waited for.'
    return `${flushed ? "on this master's disk" : "appended to this master's log"}, and nothing more: ${why}`
  }
  const others = mode.inSyncReplicas - 1
  const who = `this master and ${others === 1 ? 'one replica' : `${others} replicas`}`
  return flushed
    ? `on the disks of ${who} (fdatasync). Survives a power cut of all of them.`
    : `appended to the logs of ${who}. Survives the loss of ${others === 1 ? 'one machine' : `${others} machines`}.`
}
