import type { ReceiveRequest } from './api.ts'

/** How long a message delivered under auto-renew stays invisible at a time (Apache's proxy: 60 s). */
export const HELD_INVISIBLE_MS = 60_000

/** How long what this receive gets stays invisible at first. */
export function invisibleMsOf({ autoRenew, invisibleMs }: ReceiveRequest): number {
  return autoRenew ? HELD_INVISIBLE_MS : invisibleMs
}
