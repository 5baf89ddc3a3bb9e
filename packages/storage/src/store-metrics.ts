import type { Frontier, LogOffset, Meter } from '@tandemmq/base'

/** What of a store is shown as metrics. */
export interface ObservedStore {
  readonly minOffset: LogOffset
  readonly written: Frontier
  readonly flushed: Frontier
  readonly dispatched: Frontier
}

export function observePositions(meter: Meter, store: ObservedStore): void {
  meter.observe('rocketmq_ha_log_position_bytes', 'Positions of the commit log.', ['position'], () => [
    { labels: { position: 'min' }, value: store.minOffset },
    { labels: { position: 'written' }, value: store.written.at },
    { labels: { position: 'flushed' }, value: store.flushed.at },
    { labels: { position: 'dispatched' }, value: store.dispatched.at },
  ])
}
