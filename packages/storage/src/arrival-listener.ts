import type { Arrival } from './arrival.ts'

export type ArrivalListener = (arrival: Arrival) => void

/** Every listener hears of every arrival, in log order. */
export function emitTo(listeners: ReadonlySet<ArrivalListener>, arrivals: readonly Arrival[]): void {
  if (listeners.size === 0) return
  for (const arrival of arrivals) for (const listener of listeners) listener(arrival)
}
