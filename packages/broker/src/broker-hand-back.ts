import type { Messaging } from '@tandemmq/messaging'
import type { HandBackWay } from '@tandemmq/metadata'
import { masterOf, type Registration } from '@tandemmq/registry'
import type { SelfView } from './broker-description.ts'
import type { BrokerPorts } from './broker-options.ts'
import { HandBack } from './hand-back.ts'
import type { SlaveRole } from './slave-role.ts'

/** What giving serving back is for a broker. `straight` is the way to whoever gets it. */
export function brokerHandBack(
  { store, metadata }: SelfView,
  api: Pick<Messaging, 'seal' | 'unseal'>,
  registration: Registration,
  straight: HandBackWay,
  { clock, logger, meter, handBackAround }: BrokerPorts,
): HandBack {
  return new HandBack(
    {
      registration,
      metadata,
      wayTo: (master, route) => (route === 'straight' ? straight : handBackAround?.(master)),
      log: () => ({ ...(store.lineage && { lineage: store.lineage }), end: store.end }),
      seal: () => api.seal(),
      unseal: () => api.unseal(),
    },
    { clock, logger, meter },
  )
}

/** Something has changed that a hand-back may have waited for. */
export function considerHandBack(handBack: HandBack, role: SlaveRole, registration: Registration): void {
  const master = masterOf(registration.answer?.members ?? [])
  const route = role.routeTo(master)
  if (master === undefined || route === undefined) return
  if (registration.mayServe()) handBack.begin(master.identity, route)
  else handBack.tell(master.identity, route)
}
