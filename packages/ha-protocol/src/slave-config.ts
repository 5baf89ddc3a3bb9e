import { memberOf } from './ha-member.ts'
import type { HaSlaveOptions } from './ha-slave-options.ts'
import { apacheTimings, defaultTimings } from './ha-timings.ts'
import { OVERLAP_BYTES } from './slave-comparison.ts'
import type { SlaveConfig } from './slave-state.ts'

/** What a slave's session goes by, defaults filled in. */
export function slaveConfig(options: HaSlaveOptions): SlaveConfig {
  const { peer = 'tandemmq' } = options
  return {
    ...memberOf(options),
    flush: options.flushBeforeReport === true ? 'always' : 'when-required',
    peer,
    overlapBytes: options.overlapBytes ?? OVERLAP_BYTES,
    timings: { ...(peer === 'apache' ? apacheTimings : defaultTimings), ...options.timings },
  }
}
