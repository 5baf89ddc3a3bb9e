import type { Meter, Readiness } from '@tandemmq/base'
import type { HttpRoutes } from './app.ts'

/** What a service says over HTTP. */
export interface HttpParts {
  /** Asked at every `/readyz`: cheap, and without side effects. */
  readonly readiness: () => Readiness
  /** Prometheus text, for `/metrics`. */
  readonly metricsText: () => Promise<string>
  /** Where connections that had to go are counted; default: nowhere. */
  readonly meter?: Meter
  /** Adds what this service has beyond health and metrics; called with the first request. */
  readonly routes?: (app: HttpRoutes) => void
}
