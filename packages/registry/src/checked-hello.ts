import { BrokerError, checkedOffset } from '@tandemmq/base'
import type { MemberHello, MemberStatus } from './member.ts'

const name = /^[A-Za-z0-9_%|][A-Za-z0-9._:@%|-]{0,126}$/
const hexOrNothing = /^(?:[0-9a-f]{32})?$/
const addressMax = 300
const problemsMax = 32
const textMax = 1024

/** Checks what a peer says about itself. Throws `PROTOCOL_VIOLATION` naming the field. */
export function checkedHello(hello: MemberHello): MemberHello {
  checkName(hello.cluster, 'cluster')
  checkName(hello.set, 'set')
  checkName(hello.identity, 'identity')
  checkName(hello.instanceId, 'instance id')
  checkAddress(hello.grpcAddress, 'gRPC address')
  if (hello.haAddress !== '') checkAddress(hello.haAddress, 'HA address')
  checkLog(hello)
  checkedOffset(hello.totalReplicas, 'number of configured replicas')
  checkedOffset(hello.inSyncReplicas, 'number of replicas that a message is to be on')
  if (hello.appointment) {
    const { identity, epoch, grpcAddress, haAddress, end } = hello.appointment
    checkName(identity, 'appointed master')
    checkServingEpoch(epoch)
    checkAddress(grpcAddress, 'gRPC address of the appointed master')
    checkAddress(haAddress, 'HA address of the appointed master')
    checkedOffset(end, 'end of the log of the appointed master')
  }
  checkServingEpoch(hello.seenServingEpoch)
  if (hello.heldLease) {
    checkServingEpoch(hello.heldLease.epoch)
    checkedOffset(hello.heldLease.remainingMs, 'remaining time of the lease')
  }
  return hello
}

/** Checks a status and cuts what is only for display to a bounded size. Throws `PROTOCOL_VIOLATION` naming the field. */
export function checkedStatus(status: MemberStatus): MemberStatus {
  checkLog(status)
  checkedOffset(status.sequence, 'status sequence')
  checkedOffset(status.flushed, 'flushed position')
  checkedOffset(status.confirmed, 'confirmed position')
  checkedOffset(status.dispatched, 'dispatched position')
  if (status.steppedDown !== undefined) checkedOffset(status.steppedDown, 'number of the promotion')
  if (status.renew) checkServingEpoch(status.renew.epoch)
  if (status.release) {
    checkServingEpoch(status.release.epoch)
    checkName(status.release.to, 'successor')
  }
  const { details } = status
  return {
    ...status,
    details: {
      ...details,
      replicas: details.replicas.slice(0, problemsMax).map((replica) => ({
        ...replica,
        refusals: bounded(replica.refusals),
        verification: {
          ...replica.verification,
          mismatches: replica.verification.mismatches.slice(0, problemsMax),
        },
        problem: replica.problem.slice(0, textMax),
      })),
      ...(details.following && {
        following: {
          ...details.following,
          troubles: bounded(details.following.troubles),
          mismatches: details.following.mismatches.slice(0, problemsMax),
          problem: details.following.problem.slice(0, textMax),
        },
      }),
      okMeans: details.okMeans.slice(0, textMax),
      problems: details.problems.slice(0, problemsMax).map((problem) => problem.slice(0, textMax)),
    },
  }
}

function bounded(counts: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  return new Map(
    [...counts].slice(0, problemsMax).map(([reason, count]) => [reason.slice(0, textMax), count]),
  )
}

function checkLog(log: { readonly logId: string; readonly lastEpoch: number; readonly end: number }): void {
  if (!hexOrNothing.test(log.logId)) {
    throw new BrokerError('PROTOCOL_VIOLATION', `log id '${log.logId.slice(0, 40)}' is not 32 hex digits`)
  }
  checkedOffset(log.lastEpoch, 'last log epoch')
  checkedOffset(log.end, 'end of the log')
}

/** Half the range stays free, so that an epoch can always be followed by a higher one. */
function checkServingEpoch(epoch: number): void {
  if (checkedOffset(epoch, 'serving epoch') > Number.MAX_SAFE_INTEGER / 2) {
    throw new BrokerError('PROTOCOL_VIOLATION', `serving epoch ${epoch} is out of range`)
  }
}

/** Whether a cluster, set or member may be called so: such a name is safe as a file name. */
export function isRegistryName(text: string): boolean {
  return name.test(text)
}

export function checkName(text: string, what: string): void {
  if (!isRegistryName(text)) {
    throw new BrokerError(
      'PROTOCOL_VIOLATION',
      `${what} '${text.slice(0, 40)}' is not a name: 1 to 127 of letters, digits and . _ : @ % | -, and not . first`,
    )
  }
}

function checkAddress(text: string, what: string): void {
  const port = Number(/:([0-9]{1,5})$/.exec(text)?.[1])
  if (text.length > addressMax || !(port >= 1 && port <= 65_535)) {
    throw new BrokerError('PROTOCOL_VIOLATION', `${what} '${text.slice(0, 80)}' is not host:port`)
  }
}
