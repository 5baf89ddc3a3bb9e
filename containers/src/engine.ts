import { getContainerRuntimeClient, type ContainerRuntimeClient } from 'testcontainers'

/** The Docker engine of this machine. Throws one sentence when none answers. */
export async function engine(): Promise<ContainerRuntimeClient> {
  try {
    return await getContainerRuntimeClient()
  } catch (cause) {
    throw new Error(
      'No Docker engine answers here (docker info says why), and the container tests are nothing without one.',
      { cause },
    )
  }
}

/** The engine's own API, for what testcontainers has no words for: signals, pauses, networks, volumes. */
export type EngineApi = ContainerRuntimeClient['container']['dockerode']

export async function engineApi(): Promise<EngineApi> {
  return (await engine()).container.dockerode
}
