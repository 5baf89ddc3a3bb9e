import type { MasterRole } from './master-role.ts'
import type { SlaveRole } from './slave-role.ts'

/** What a broker is in its set. A state, not a kind of process. */
export type Role = MasterRole | SlaveRole
