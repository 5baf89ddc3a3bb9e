import type { ReadyFacts } from '@tandemmq/platform-node'
import { HOST } from './service-plan.ts'

/** A service that is ready. */
export interface ReadyService {
  readonly name: string
  readonly pid: number
  readonly config: string
  readonly facts: ReadyFacts
}

/** What the launcher says when everything is ready. */
export interface ReadyReport {
  readonly ready: true
  /** `host:port` for clients. */
  readonly grpc: string
  readonly http: string
  readonly okMeans: string
  /** From the launcher's exec to now. */
  readonly startMs: number
  readonly services: Readonly<Record<string, ServiceLine>>
}

interface ServiceLine {
  readonly pid: number
  readonly config: string
  readonly grpc?: string
  readonly http?: string
  readonly ha?: string
}

export function readyReport(
  services: readonly ReadyService[],
  ports: { readonly grpc: number; readonly http: number },
  startMs: number,
): ReadyReport {
  const lines = services.map(({ name, pid, config, facts: { grpc, http, ha } }) => {
    const addresses =
      name === 'metadata-rpc'
        ? {}
        : { ...(grpc && { grpc }), ...(http && { http: `http://${http}` }), ...(ha && { ha }) }
    return [name, { pid, config, ...addresses }] as const
  })
  return {
    ready: true,
    grpc: `${HOST}:${ports.grpc}`,
    http: `http://${HOST}:${ports.http}`,
    okMeans: services.find(({ facts }) => facts.okMeans !== undefined)?.facts.okMeans ?? '',
    startMs: Math.round(startMs),
    services: Object.fromEntries(lines),
  }
}

/** The same for a person. */
export function readySentences(report: ReadyReport, data: string): readonly string[] {
  return [
    `ready in ${(report.startMs / 1_000).toFixed(1)} s; Ctrl-C stops all`,
    `  clients   ${report.grpc}`,
    `  http      ${report.http}`,
    `  data      ${data}`,
    ...Object.entries(report.services).map(
      ([name, { pid, grpc, http, ha }]) =>
        `  ${name}: process ${pid}${grpc === undefined ? '' : `, gRPC ${grpc}`}${http === undefined ? '' : `, ${http}`}${ha === undefined ? '' : `, HA ${ha}`}`,
    ),
    ...(report.okMeans === '' ? [] : [`  OK means: ${report.okMeans}`]),
  ]
}
