import type { PeerCertificate } from '@tandemmq/base'
import { HA_PROTOCOL_VERSION, type Hello, type Refusal } from '@tandemmq/codec'
import { whyNotCertified } from './certified-member.ts'
import type { LogView } from './replicated-log.ts'

/** Who we are to the other side. */
export interface HaMember {
  readonly cluster: string
  /** The broker set (`brokerName`). */
  readonly set: string
  /** Our lasting name inside the set. */
  readonly identity: string
  /** Random per process. */
  readonly instanceId: string
  /** The set's secret. Without one, and without {@link certified}, nothing is authenticated: loopback only. */
  readonly secret?: Buffer
  /** Mutual TLS: a peer's certificate names it as a member of the set. Default false. */
  readonly certified?: boolean
}

/** Of options that say more, who we are. */
export function memberOf({ cluster, set, identity, instanceId, secret, certified }: HaMember): HaMember {
  return {
    cluster,
    set,
    identity,
    instanceId,
    ...(secret === undefined ? {} : { secret }),
    ...(certified === undefined ? {} : { certified }),
  }
}

/** What either side says of itself and its log in its hello, whatever its role. */
export function introduction(
  { cluster, set, identity, instanceId }: HaMember,
  { begin, end, flushed, segmentBytes }: LogView,
  { nonce, wallClock }: { readonly nonce: Buffer; readonly wallClock: number },
): Omit<Hello, 'role' | 'flush' | 'lineage' | 'compare'> {
  return {
    protocolVersion: HA_PROTOCOL_VERSION,
    cluster,
    set,
    identity,
    instanceId,
    nonce,
    begin,
    end,
    flushed,
    segmentBytes,
    wallClock,
  }
}

/** Whether a peer that says `hello` may talk to us at all; why not otherwise. */
export function refusalOf(
  own: HaMember,
  segmentBytes: number,
  hello: Hello,
  certificate: PeerCertificate | undefined,
): Refusal | undefined {
  const peer = `${hello.role} ${quoted(hello.identity)}`
  if (hello.protocolVersion < 1) {
    return { reason: 'wrong-version', words: `${peer} speaks HA protocol version ${hello.protocolVersion}` }
  }
  if (hello.cluster !== own.cluster) {
    return differs('wrong-cluster', peer, 'cluster', hello.cluster, own.cluster)
  }
  if (hello.set !== own.set) return differs('wrong-set', peer, 'broker set', hello.set, own.set)
  const uncertified = own.certified === true ? whyNotCertified(hello, certificate) : undefined
  if (uncertified !== undefined) return uncertified
  if (hello.identity === own.identity) {
    return { reason: 'same-identity', words: `${peer} has the identity of its own peer` }
  }
  if (hello.segmentBytes !== segmentBytes) {
    return {
      reason: 'segment-size',
      words: `${peer} has commit log files of ${hello.segmentBytes} bytes, its peer of ${segmentBytes}: mappedFileSizeCommitLog must be equal`,
    }
  }
  return undefined
}

function differs(reason: string, peer: string, what: string, theirs: string, ours: string): Refusal {
  return { reason, words: `${peer} is of ${what} ${quoted(theirs)}, its peer of ${quoted(ours)}` }
}

function quoted(name: string): string {
  return `"${name}"`
}
