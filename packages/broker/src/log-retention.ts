import { Retention, type DiskLevel, type Hold } from '@tandemmq/storage'
import type { SelfView } from './broker-description.ts'
import type { BrokerPorts } from './broker-options.ts'

/** Lets old files of a broker's log expire, by its own configuration; `undefined`: it keeps all. */
export function startRetention(self: SelfView, ports: BrokerPorts): Retention | undefined {
  const { options, store } = self
  if (options.retention === undefined) return undefined
  return new Retention(options.retention, store, options.root, ports, (level) => holdOf(self, level))
}

/** Up to where others still need the log. On a disk that is nearly full, replicas that are away are not waited for. */
function holdOf({ role, visible, store }: SelfView, level: DiskLevel): Hold | undefined {
  if (visible.at < store.end) {
    const held = heldForReplica(role, level)
    if (held === undefined || visible.at < held.from) {
      return { from: visible.at, words: 'what lies behind is not confirmed yet' }
    }
    return held
  }
  return heldForReplica(role, level)
}

function heldForReplica(role: SelfView['role'], level: DiskLevel): Hold | undefined {
  if (role.kind !== 'master') return undefined
  const held = role.heldFor(level === 'warning')
  return held && { from: held.from, words: `replica "${held.identity}" has not copied them yet` }
}
