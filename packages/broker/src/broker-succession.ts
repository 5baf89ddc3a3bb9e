import { silentMeter } from '@tandemmq/base'
import type { Messaging } from '@tandemmq/messaging'
import type { Appointment, Registration } from '@tandemmq/registry'
import type { SelfView } from './broker-description.ts'
import { brokerHandBack } from './broker-hand-back.ts'
import type { BrokerPorts } from './broker-options.ts'
import { Succession } from './succession.ts'

/** The {@link Succession} of a broker: what being deposed, handing serving over and beginning again is for it. */
export function brokerSuccession(
  self: SelfView,
  api: Pick<Messaging, 'seal' | 'unseal'>,
  registration: Registration,
  ports: BrokerPorts,
  begin: (appointment: Appointment) => void,
): Succession {
  const { options, role } = self
  return new Succession({
    clock: ports.clock,
    registration,
    options,
    role: role.kind,
    depose: (successor) => {
      if (role.kind === 'master') role.depose(successor)
    },
    handOver: ({ identity, grpcAddress }, done) => {
      const straight = ports.metadataSource(grpcAddress)
      // If it fails, what only this broker knows of is delivered again.
      const uncounted = { ...ports, meter: silentMeter }
      brokerHandBack(self, api, registration, straight, uncounted).begin(identity, 'straight', done)
    },
    begin,
  })
}
