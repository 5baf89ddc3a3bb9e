import type { EngineApi } from './engine.ts'
import { LABEL, PROJECT, PROJECT_LABEL, run } from './labels.ts'

interface Labelled {
  readonly Labels?: Readonly<Record<string, string>> | undefined
}

/** Removes containers, networks and volumes of this run, and of runs whose process is gone. Returns how many things it removed. */
export async function sweep(api: EngineApi): Promise<number> {
  const containers = (await api.listContainers({ all: true })).filter(isOurs)
  // Killed before they are removed: a container that is paused cannot be removed.
  await Promise.all(containers.map(({ Id }) => api.getContainer(Id).remove({ force: true, v: true })))
  const networks = (await api.listNetworks()).filter(isOurs)
  await Promise.all(networks.map(({ Id }) => api.getNetwork(Id).remove()))
  const volumes = ((await api.listVolumes()).Volumes ?? []).filter(isOurs)
  await Promise.all(volumes.map(({ Name }) => api.getVolume(Name).remove()))
  return containers.length + networks.length + volumes.length
}

function isOurs({ Labels }: Labelled): boolean {
  const itsRun = Labels?.[LABEL] ?? PROJECT.exec(Labels?.[PROJECT_LABEL] ?? '')?.[1]
  if (itsRun === undefined) return false
  if (itsRun === run) return true
  try {
    return !process.kill(Number(itsRun), 0)
  } catch {
    return true
  }
}
