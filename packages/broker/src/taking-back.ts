import { BrokerError, type Counter, type Meter } from '@tandemmq/base'
import type { LogClaim, Snapshot } from '@tandemmq/metadata'
import type { Messaging } from '@tandemmq/messaging'
import type { SelfView } from './broker-description.ts'
import { refusalOfClaim } from './log-claim.ts'

/** A master's side of a {@link HandBack} (rule 4.7): what a slave knows is judged, merged, and on disk before the slave hears that it is. */
export class TakingBack {
  readonly #self: SelfView
  readonly #api: Pick<Messaging, 'settleServed'>
  readonly #merges: Counter

  constructor(self: SelfView, api: Pick<Messaging, 'settleServed'>, meter: Meter) {
    this.#self = self
    this.#api = api
    this.#merges = meter.counter(
      'rocketmq_ha_progress_merges_total',
      'Times that a slave handed over its progress and it was merged.',
    )
  }

  /** See {@link Broker.takeBack}. */
  async take(snapshot: Snapshot, claim?: LogClaim): Promise<void> {
    const { role, store, metadata } = this.#self
    if (role.kind !== 'master') {
      throw new BrokerError('NOT_WRITABLE', 'serving is handed back to a master, and this broker is a slave')
    }
    if (claim !== undefined) {
      role.writability.check()
      const refusal = refusalOfClaim(claim, store)
      if (refusal !== undefined) throw new BrokerError('PEER_REFUSED', refusal)
    }
    metadata.merge(snapshot)
    await this.#api.settleServed()
    await metadata.synced()
    this.#merges.add()
    // Where OK waits for replicas, the slave that serves may be the only one that could be waited for.
    const shortage = claim?.givesServing === true ? role.durability.shortage() : undefined
    if (shortage === undefined) return
    throw new BrokerError('PEER_REFUSED', `the master takes no messages now, serving stays: ${shortage}`)
  }
}
