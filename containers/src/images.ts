import type { EngineApi } from './engine.ts'

export type ServiceKind = 'metadata-rpc' | 'broker-master' | 'broker-slave'

const KINDS: readonly ServiceKind[] = ['metadata-rpc', 'broker-master', 'broker-slave']
/** Where the images of `npm run images` lie; another repository's can be tried with the variable. */
const REPOSITORY = process.env['CONTAINER_TESTS_IMAGES'] ?? 'tandemmq'
const TAG = 'local'

export function imageOf(kind: ServiceKind): string {
  return `${REPOSITORY}/${kind}:${TAG}`
}

/** Throws one sentence that names the images that are missing. */
export async function demandImages(api: EngineApi): Promise<void> {
  const present = new Set((await api.listImages()).flatMap(({ RepoTags }) => RepoTags ?? []))
  const missing = KINDS.map(imageOf).filter((image) => !present.has(image))
  if (missing.length > 0) throw new Error(`There is no ${missing.join(', no ')}: run npm run images first.`)
}
