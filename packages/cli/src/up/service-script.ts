import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ServiceKind } from './service-plan.ts'

const repository = fileURLToPath(new URL('../../../../', import.meta.url))

/** The script of a service: its source when we run from source ourselves, else its build. */
export function serviceScript(kind: ServiceKind, servicesFrom = join(repository, 'services')): string {
  const isSource = import.meta.url.endsWith('.ts')
  return join(servicesFrom, kind, isSource ? 'src/main.ts' : 'dist/main.js')
}
