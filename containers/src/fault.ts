import type { ServiceContainer } from './service-container.ts'

/** Something that happens to a container, and what ends it. */
export interface Fault {
  readonly name: string
  strike(service: ServiceContainer): Promise<unknown>
  cure(service: ServiceContainer): Promise<void>
}

export const faults: readonly Fault[] = [
  {
    name: 'is killed',
    strike: (service) => service.kill(),
    cure: (service) => service.startAgain(),
  },
  {
    name: 'is stopped',
    strike: (service) => service.stop(),
    cure: (service) => service.startAgain(),
  },
  {
    name: 'is paused',
    strike: (service) => service.pause(),
    cure: (service) => service.unpause(),
  },
  {
    name: 'is cut off from the network',
    strike: (service) => service.disconnect(),
    cure: (service) => service.connect(),
  },
]
