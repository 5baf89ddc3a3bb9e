import { BrokerError } from '@tandemmq/base'
import {
  RefusingRegistry,
  type MemberReport,
  type Promoted,
  type PromotionRequest,
  type Registry,
  type RegistryLink,
  type RegistryRelay,
  type RelayLink,
  type ServingView,
} from '@tandemmq/registry'

/** How this instance knows the cluster: it is the grantor and keeps the registry itself, or relays and follows the grantor's (rule 4.8). */
export interface ClusterRegistry {
  readonly view: ServingView
  /** What brokers and relays meet that call here. */
  readonly link: RegistryLink & RelayLink
  /** Everything the members of a set last said, for people. */
  report(set: string): readonly MemberReport[]
  /** Rejects with `PROMOTION_REFUSED`, `UNAVAILABLE`. */
  promote(request: PromotionRequest): Promise<Promoted>
  /** Why {@link view} may be out of date; `undefined`: it is not. */
  trouble(): string | undefined
  /** Resolves as soon as there is something to go by. */
  readonly heard: Promise<void>
  /** Grants nothing more; what is known goes on being shown. */
  retire(): void
}

export function asGrantor(registry: Registry): ClusterRegistry {
  return {
    view: registry.view,
    link: registry,
    report: (set) => registry.report(set),
    promote: (request) => registry.promote(request),
    trouble: () => undefined,
    heard: Promise.resolve(),
    retire: () => registry.close(),
  }
}

/** `grantor` is `host:port` of the instance that is followed. */
export function asRelay(relay: RegistryRelay, grantor: string): ClusterRegistry {
  return {
    view: relay.view,
    link: new RefusingRegistry(grantor),
    report: (set) => relay.report(set),
    promote: () =>
      Promise.reject(
        new BrokerError(
          'PROMOTION_REFUSED',
          `this metadata-rpc is a relay and appoints nobody: ask the grantor at ${grantor}`,
        ),
      ),
    trouble: () => relay.trouble && `the grantor at ${grantor} is not heard: ${relay.trouble.message}`,
    heard: relay.heard,
    retire: () => {},
  }
}
