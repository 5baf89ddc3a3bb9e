import type { Arrival } from './arrival.ts'
import { LogIdentity } from './log-identity.ts'
import { PositionFile } from './position-file.ts'
import { QueueEnds } from './queue-ends.ts'
import type { StoreEvidence } from './store-evidence.ts'
import { makeStoreDirectories, markRunning } from './store-directory.ts'
import type { CompleteStoreOptions, StorePorts } from './store-options.ts'
import { demandOwnStore, ownershipOf } from './store-owner.ts'
import { StoreSession, type SessionContext } from './store-session.ts'
import { UnqueuedRecords } from './unqueued-records.ts'

/** What outlives every session, from a directory that is ours. Errors as those of `MessageStore.open`. */
export async function openContext(
  options: CompleteStoreOptions,
  ports: StorePorts,
  emit: (arrivals: readonly Arrival[]) => void,
): Promise<{
  readonly context: SessionContext
  readonly positionFound: StoreEvidence['positionFound']
}> {
  const { files, meter, random, logger } = ports
  const { root, acceptLoss } = options
  await makeStoreDirectories(files, root)
  const { file: position, found } = PositionFile.load(files, `${root}/position`)
  demandOwnStore(position.value, options, files)
  const identity = new LogIdentity(files, root, position, random)
  if (found === 'nothing' && !acceptLoss) identity.demandPositionFile(root)
  const stale = [
    ...(found === 'stale' ? ['position'] : []),
    ...(identity.isLineageStale ? ['epochOpeners'] : []),
  ]
  for (const name of stale) {
    logger.warn(
      { file: `${root}/${name}` },
      'a state file is damaged; its fallback copy is used, which is older',
    )
  }
  const syncs = meter.histogram(
    'rocketmq_ha_log_sync_ms',
    'How long syncs of the commit log took, ms.',
    [0.1, 0.5, 1, 2, 5, 10, 50, 200, 1000],
  )
  const context: SessionContext = {
    options,
    ports,
    position,
    identity,
    queueEnds: new QueueEnds(files, root),
    unqueued: new UnqueuedRecords(logger, meter),
    observeSync: (tookMs) => syncs.observe(tookMs),
    emit,
  }
  return { context, positionFound: found }
}

/** The first session of a process, which from here on is known to run. */
export async function openFirstSession(
  context: SessionContext,
  positionFound: StoreEvidence['positionFound'],
): Promise<StoreSession> {
  const { options, ports, position } = context
  const session = await StoreSession.open(context, positionFound)
  try {
    await markRunning(ports.files, options.root)
    // From here on a stop is not clean until it says so; that must be on disk before the first byte is.
    await position.save({ lossPossible: session.report.lossPossible, ...ownershipOf(options) })
  } catch (failure) {
    await session.abandon()
    throw failure
  }
  return session
}
