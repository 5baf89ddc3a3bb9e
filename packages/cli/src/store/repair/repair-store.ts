import type { Files } from '@tandemmq/base'
import { surveyStore, type Survey } from './survey.ts'
import { applyRepair } from './apply.ts'
import { forgetShapes, noteShape, storeShape } from './store-shape.ts'
import type { LogRange } from './log-damage.ts'
import { planRepair, type RepairPlan } from './plan.ts'
import type { RangeSource } from './range-source.ts'
import { inWords, type RepairStep } from './repair-step.ts'
import { SavedFiles } from './saved-files.ts'

export interface RepairOptions {
  readonly source?: RangeSource
  /** See `RepairWishes`. */
  readonly range?: LogRange
  readonly cut: boolean
  /** Length of queue files, where no file is left that shows it; default: Apache's, 6,000,000. */
  readonly queueFileBytes?: number
  /** Wall clock, ms: names the directory of what is removed. */
  readonly nowMs: number
  /** Whether the plan is carried out; asked once, after it was told. */
  readonly confirm: () => Promise<boolean>
}

export interface RepairReport {
  readonly root: string
  /** What was found wrong. */
  readonly problems: readonly string[]
  readonly steps: readonly (RepairStep & { readonly words: string })[]
  readonly left: readonly string[]
  /** Below the store's directory. */
  readonly saved: string
  readonly isDone: boolean
  /** What is still wrong after it was carried out. */
  readonly remaining: readonly string[]
}

/** Plans a repair, tells the plan, and carries it out if that is confirmed. Whoever calls holds the directory's lock. */
export async function repairStore(
  files: Files,
  root: string,
  options: RepairOptions,
  tellPlan: (report: RepairReport) => void,
  tellStep: (number: number) => void,
): Promise<RepairReport> {
  const { source, cut, range, nowMs, confirm, queueFileBytes } = options
  const survey = surveyStore(files, root)
  const plan = planRepair(files, survey, {
    cut,
    ...(source === undefined ? {} : { source: source.words }),
    ...(range === undefined ? {} : { range }),
  })
  const saved = new SavedFiles(files, root, nowMs)
  const planned = reportOf(survey, plan, saved)
  tellPlan(planned)
  if (plan.steps.length === 0 || !(await confirm())) return planned
  const shape = storeShape(files, root, queueFileBytes)
  await noteShape(files, root, saved.directory, shape)
  await applyRepair(files, survey, plan.steps, { saved, source, shape }, tellStep)
  forgetShapes(files, root)
  return { ...planned, isDone: true, remaining: problemsOf(surveyStore(files, root)) }
}

function reportOf(survey: Survey, { steps, left }: RepairPlan, saved: SavedFiles): RepairReport {
  const told = steps.map((step) => ({ ...step, words: inWords(step, saved.directory) }))
  const problems = problemsOf(survey)
  return {
    root: survey.root,
    problems,
    steps: told,
    left,
    saved: saved.directory,
    isDone: false,
    remaining: problems,
  }
}

function problemsOf({ findings }: Survey): string[] {
  return findings
    .filter(({ kind }) => kind === 'problem')
    .map(({ file, at, what }) => `${file} at byte ${at}: ${what}`)
}
