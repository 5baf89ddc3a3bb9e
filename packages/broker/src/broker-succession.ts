import { silentMeter } from '@tandemmq/base'
import type { Messaging } from '@tandemmq/messaging'
import type { Appointment, Registration } from '@tandemmq/registry'
import type { SelfView } from './broker-description.ts'
import type { BrokerPorts } from './broker-options.ts'
import { HandBack } from './hand-back.ts'
import { Succession } from './succession.ts'

/** The {@link Succession} of a broker: what being deposed, handing serving over and beginning again is for it. */
export function brokerSuccession(
  { options, role, metadata }: SelfView,
  api: Pick<Messaging, 'seal' | 'unseal'>,
  registration: Registration,
  { clock, logger, metadataSource }: BrokerPorts,
  begin: (appointment: Appointment) => void,
): Succession {
  return new Succession({
    clock,
    registration,
    options,
    role: role.kind,
    depose: (successor) => {
      if (role.kind === 'master') role.depose(successor)
    },
    handOver: ({ identity, grpcAddress }, done) => {
      const parts = {
        registration,
        metadata,
        source: metadataSource(grpcAddress),
        seal: () => api.seal(),
        unseal: () => api.unseal(),
      }
      // If it fails, what only this broker knows of is delivered again.
      new HandBack(parts, { clock, logger, meter: silentMeter }).begin(identity, done)
    },
    begin,
  })
}
