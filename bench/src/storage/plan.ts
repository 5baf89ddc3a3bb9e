import { tmpdir } from 'node:os'
import { parseArgs } from 'node:util'

/** What of the benchmark is run, and how much of it. */
export interface BenchPlan {
  /** Everything is written below. */
  readonly directory: string
  /** Rounds that count; the figures are their medians. */
  readonly rounds: number
  /** Whether genuine Apache's store is measured beside ours. */
  readonly apache: boolean
  /** Log of the memory measurement, GiB. */
  readonly logGib: number
  /** Names of the sections to run. */
  readonly sections: readonly string[]
  /** A number of messages, less of them in a quick run. */
  scaled(count: number): number
}

export const PLAN_FLAGS =
  '[--only SECTION,…] [--rounds N] [--scale 0.1…1] [--log-gib N] [--directory DIR] [--no-apache]'

/** Throws for flags it does not know. `sections`: all there are. */
export function planOf(flags: readonly string[], sections: readonly string[]): BenchPlan {
  const { values } = parseArgs({
    args: [...flags],
    options: {
      only: { type: 'string' },
      rounds: { type: 'string', default: '5' },
      scale: { type: 'string', default: '1' },
      'log-gib': { type: 'string', default: '4' },
      directory: { type: 'string', default: tmpdir() },
      apache: { type: 'boolean', default: true },
    },
    allowNegative: true,
  })
  const scale = Number(values.scale)
  const wanted = values.only?.split(',') ?? sections
  const unknown = wanted.find((name) => !sections.includes(name))
  if (unknown !== undefined) throw new Error(`no section ${unknown}; there are ${sections.join(', ')}`)
  return {
    directory: values.directory,
    rounds: Number(values.rounds),
    apache: values.apache,
    logGib: Number(values['log-gib']),
    sections: wanted,
    scaled: (count) => Math.max(64, Math.round(count * scale)),
  }
}
