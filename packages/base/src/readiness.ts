/**
 * What a service is asked before it gets work: `writable` (messages can be stored), `in_sync` (the copies are where the mode wants them),
 * `registered` (known at metadata-rpc), `serving` (consumers are answered).
 */
export type Check = 'writable' | 'in_sync' | 'registered' | 'serving'

/** One check that fails now, and why, for people. */
export interface Problem {
  readonly check: Check
  readonly message: string
}

/** Whether a service does its work now: ready = no problems. A service adds facts of its own. */
export interface Readiness {
  readonly ready: boolean
  readonly problems: readonly Problem[]
}
