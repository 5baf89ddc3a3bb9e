import type { Scenario } from './scenario.ts'
import { forgedAck } from './scenarios/forged-ack.ts'
import { slaveStopped } from './scenarios/slave-stopped.ts'

/** In the order of the table. */
export const scenarios: readonly Scenario[] = [slaveStopped, forgedAck]
