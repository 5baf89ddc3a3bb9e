import type { Clock, Logger, Meter } from '@tandemmq/base'
import type { LeaseWitnesses } from '@tandemmq/messaging'
import { Watchers, type MetadataStore } from '@tandemmq/metadata'
import type { Registration } from '@tandemmq/registry'
import type { SelfView } from './broker-description.ts'

/** Who watches this broker's metadata. Other members of the set count: they could be given the serving token (rule 5.8). */
export function watchingSlaves(
  { options, store }: SelfView,
  registration: () => Registration | undefined,
  ports: { readonly clock: Clock; readonly logger: Logger; readonly meter: Meter },
): Watchers {
  return new Watchers(ports, (identity) => {
    if (identity === options.identity) return false
    const members = registration()?.answer?.members ?? []
    return store.roster.includes(identity) || members.some((member) => member.identity === identity)
  })
}

/** They have to know of what is written down in `metadata`. */
export function witnessesOf(watchers: Watchers, metadata: MetadataStore): LeaseWitnesses {
  return {
    get arePresent() {
      return watchers.arePresent
    },
    acknowledged: () => watchers.acknowledged(metadata.cursor),
  }
}
