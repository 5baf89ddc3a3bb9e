import type { Clock } from '@tandemmq/base'
import { LeaseExtension, type Registration } from '@tandemmq/registry'
import type { SelfView } from './broker-description.ts'
import type { MasterRole } from './master-role.ts'

/**
 * Lets a master serve on while the registry is away and its replicas promise to leave the token to it (rule 4.6). Returns how to stop.
 * Whoever was ever counted, or was seen at the registry last, could be given the token.
 */
export function extendLease(
  { options }: SelfView,
  role: MasterRole,
  registration: Registration,
  clock: Clock,
): () => void {
  const extension = new LeaseExtension({
    registration,
    clock,
    ask: (question) => role.askToAbstain(question),
    others: () => {
      const seen = registration.answer?.members.map(({ identity }) => identity) ?? []
      const others = new Set([...role.roster, ...seen])
      others.delete(options.identity)
      return others
    },
    othersMin: options.totalReplicas - 1,
  })
  role.onAbstained = (identity, question) => extension.promised(identity, question)
  return () => extension.stop()
}
