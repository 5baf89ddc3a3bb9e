import { joinAddress } from '@tandemmq/base'
import type { Address, LogOffset } from '@tandemmq/base'
import type { LogRange } from '@tandemmq/codec'
import type { SlaveHistory } from './slave-history.ts'
import type { SlaveState } from './slave-state.ts'

/** What a slave can say about itself and its master. Positions are bytes of log offset, ages milliseconds. */
export interface FollowingView {
  /** `undefined`: none has been followed yet, or one of Apache's. */
  readonly masterIdentity: string | undefined
  /** `host:port` of the master's HA port. */
  readonly masterAddress: string
  readonly state: SlaveState['kind']
  /** Why it does not follow its master now; `undefined` while it does. */
  readonly problem: string | undefined
  /** The end of its own log. */
  readonly received: LogOffset
  readonly flushed: LogOffset
  readonly dispatched: LogOffset | undefined
  /** What it has told its master; `undefined`: nothing in this connection. */
  readonly reported: LogOffset | undefined
  /** Up to where the master lets consumers read. */
  readonly confirmed: LogOffset
  /** The end of the master's log, by the master's last word. */
  readonly masterEnd: LogOffset | undefined
  readonly lagBytes: number
  /** Since when the first byte that it lacks is known to be there. */
  readonly lagMs: number
  /** `undefined` while not connected. */
  readonly heardAgoMs: number | undefined
  /** Attempts to connect, and those that came to a stream. */
  readonly dials: number
  readonly connects: number
  /** Connections that it ended or lost, by reason. */
  readonly troubles: ReadonlyMap<string, number>
  /** Ranges in which its master found its log to differ, as last compared. */
  readonly mismatches: readonly LogRange[]
}

/** What {@link followingView} joins to a slave's state and history. */
export interface FollowingFacts {
  readonly masterAddress: Address
  readonly masterIdentity: string | undefined
  readonly end: LogOffset
  readonly flushed: LogOffset
  readonly dispatched: LogOffset | undefined
  readonly confirmed: LogOffset
  readonly now: number
}

export function followingView(
  state: SlaveState,
  history: SlaveHistory,
  facts: FollowingFacts,
): FollowingView {
  const { masterAddress, masterIdentity, end, flushed, dispatched, confirmed, now } = facts
  const { host, port } = masterAddress
  const isStreaming = state.kind === 'streaming'
  return {
    masterIdentity,
    masterAddress: joinAddress(host, port),
    state: state.kind,
    problem: !isStreaming && 'trouble' in state ? state.trouble?.words : undefined,
    received: end,
    flushed,
    dispatched,
    reported: isStreaming ? state.reported : undefined,
    confirmed,
    masterEnd: history.masterEnd,
    ...history.lag(end),
    heardAgoMs: isStreaming ? now - state.heardAt : undefined,
    dials: history.dials,
    connects: history.connects,
    troubles: history.troubles,
    mismatches: [...history.mismatches],
  }
}
