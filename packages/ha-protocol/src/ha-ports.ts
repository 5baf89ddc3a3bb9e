import type { Clock, Logger, Meter, Net, Random } from '@tandemmq/base'

/** What replication needs of the world. */
export interface HaPorts {
  readonly net: Net
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly meter: Meter
}
