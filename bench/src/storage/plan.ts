import { tmpdir } from 'node:os'
import { parsedArgs, requireKnown, wholeNumber, WrongArguments } from '@tandemmq/testkit'

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

/** Throws {@link WrongArguments}. `sections`: all there are. */
export function planOf(flags: readonly string[], sections: readonly string[]): BenchPlan {
  const { values } = parsedArgs({
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
  if (!(scale > 0 && scale <= 1)) throw new WrongArguments(`--scale takes a part of 1, not ${values.scale}.`)
  const wanted = values.only?.split(',') ?? sections
  requireKnown('section', wanted, sections)
  return {
    directory: values.directory,
    rounds: wholeNumber('--rounds', values.rounds, 1, 100),
    apache: values.apache,
    logGib: wholeNumber('--log-gib', values['log-gib'], 1, 64),
    sections: wanted,
    scaled: (count) => Math.max(64, Math.round(count * scale)),
  }
}
