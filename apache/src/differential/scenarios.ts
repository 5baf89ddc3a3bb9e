import type { Scenario } from './scenario.ts'
import { emptySlave } from './scenarios/empty-slave.ts'
import { flippedCopy } from './scenarios/flipped-copy.ts'
import { flippedProperty, flippedPropertyForced } from './scenarios/flipped-property.ts'
import { forgedAck } from './scenarios/forged-ack.ts'
import { progressAtFailover } from './scenarios/progress-at-failover.ts'
import { slaveAhead } from './scenarios/slave-ahead.ts'
import { slaveStopped } from './scenarios/slave-stopped.ts'
import { slaveTwice } from './scenarios/slave-twice.ts'
import { stateFileCut } from './scenarios/state-file-cut.ts'
import { syncError } from './scenarios/sync-error.ts'
import { unauthenticatedRead } from './scenarios/unauthenticated-read.ts'

/** In the order of the table. */
export const scenarios: readonly Scenario[] = [
  slaveStopped,
  forgedAck,
  slaveAhead,
  emptySlave,
  progressAtFailover,
  slaveTwice,
  unauthenticatedRead,
  stateFileCut,
  flippedProperty,
  flippedPropertyForced,
  flippedCopy,
  syncError,
]
