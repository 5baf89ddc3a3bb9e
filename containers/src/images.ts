import type { EngineApi } from './engine.ts'

export type ServiceKind = 'metadata-rpc' | 'broker-master' | 'broker-slave'

const KINDS: readonly ServiceKind[] = ['metadata-rpc', 'broker-master', 'broker-slave']
/** What `npm run images` tags; other images can be tried with the variable, which compose has for the same purpose. */
export const TAG = process.env['TANDEMMQ_TAG'] ?? 'local'

export function imageOf(kind: ServiceKind): string {
  return `tandemmq/${kind}:${TAG}`
}

/** Throws one sentence that names the images that are missing. */
export async function demandImages(api: EngineApi): Promise<void> {
  const present = new Set((await api.listImages()).flatMap(({ RepoTags }) => RepoTags ?? []))
  const missing = KINDS.map(imageOf).filter((image) => !present.has(image))
  if (missing.length > 0) throw new Error(`There is no ${missing.join(', no ')}: run npm run images first.`)
}
