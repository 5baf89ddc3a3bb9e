import type { Files } from '@tandemmq/base'
import { decodeEpochFile, lastEpoch } from '@tandemmq/codec'
import { readLineage, readPosition } from '@tandemmq/storage'
import { whyNoJson } from '../check-config.ts'
import type { Finding } from '../finding.ts'
import { StoredFile, positionOf } from '../stored-file.ts'
import { damagedLog, merged, type LogRange } from './log-damage.ts'
import { messagesFrom } from './lost-messages.ts'
import type { RepairStep } from './repair-step.ts'
import type { Survey } from './survey.ts'
import { wholeFrames } from './whole-frames.ts'

export interface RepairWishes {
  /** Who has the bytes that are damaged here, in words. */
  readonly source?: string
  /** Bytes of the log that the operator knows to differ from the other broker's; nothing here need show that. */
  readonly range?: LogRange
  /** The operator gives up what lies behind the first damaged place. */
  readonly cut: boolean
}

export interface RepairPlan {
  /** Empty: there is nothing to repair. */
  readonly steps: readonly RepairStep[]
  /** What no step repairs, in words, with what would. */
  readonly left: readonly string[]
  /** Nothing may be done before the operator has said how: the log itself is damaged. */
  readonly isBlocked: boolean
}

/** What has to be done to a store, in order. Nothing is changed. */
export function planRepair(files: Files, survey: Survey, wishes: RepairWishes): RepairPlan {
  const problems = survey.findings.filter(({ kind }) => kind === 'problem')
  const left: string[] = []
  const state = stateSteps(files, survey, problems, left)
  const logBlocks: string[] = []
  const log = logSteps(files, survey, wishes, logBlocks)
  const derived = derivedSteps(problems)
  const steps = [...state, ...log.steps, ...derived]
  if (logBlocks.length > 0) return { steps: [], left: [...logBlocks, ...left], isBlocked: true }
  const isPositionWrong = problems.some(({ file }) => file === 'position')
  if (steps.length === 0 && !log.isLost && !isPositionWrong) return { steps, left, isBlocked: false }
  return { steps: [...steps, { kind: 'open', isLossNoted: log.isLost }], left, isBlocked: false }
}

/** Files that are not derived from the log. */
function stateSteps(
  files: Files,
  { root, lineage }: Survey,
  problems: readonly Finding[],
  left: string[],
): RepairStep[] {
  const steps: RepairStep[] = []
  const wrong = new Set(problems.map(({ file }) => file))
  const isDamaged = (file: string): boolean =>
    problems.some((finding) => finding.file === file && !finding.log)
  if (isDamaged('position') && !isReadable(files, root)) {
    if (files.exists(`${root}/position.bak`)) steps.push({ kind: 'restore-position' })
    else {
      left.push(
        'position is damaged or missing and there is no copy: a broker starts without it only with acceptLoss=true and the file removed; or begin with an empty directory and let it be copied from the other brokers of the set',
      )
    }
  }
  if (wrong.has('epochOpeners')) {
    if (isWholeCopy(files, root)) steps.push({ kind: 'restore', file: 'epochOpeners' })
    else {
      left.push(
        'epochOpeners is damaged, and its copy may lack the last epoch: a master that starts uses the copy and opens an epoch above; a slave is told by its master',
      )
    }
  } else if (wrong.has('epochFileCheckpoint') && (lineage?.epochs.length ?? 0) > 0) {
    steps.push({ kind: 'rewrite-epochs' })
  }
  for (const file of wrong) {
    if (!file.startsWith('config/')) continue
    const copy = `${root}/${file}.bak`
    if (files.exists(copy) && whyNoJson(files, copy) === undefined) steps.push({ kind: 'restore', file })
    else left.push(`${file} cannot be read and has no copy that can: mend it by hand`)
  }
  return steps
}

function logSteps(
  files: Files,
  survey: Survey,
  { source, cut, range: given }: RepairWishes,
  blocks: string[],
): { readonly steps: RepairStep[]; readonly isLost: boolean } {
  const { root, segmentBytes, endOnFile, end, isOurs } = survey
  const { ranges, suspect, head, lost, tail } = damagedLog(survey)
  const steps: RepairStep[] = []
  for (const name of files.list(`${root}/commitlog`)) {
    if (positionOf(name) === undefined) continue
    using file = new StoredFile(files, `${root}/commitlog/${name}`)
    if (file.bytes === segmentBytes) continue
    steps.push({ kind: 'length', file: `commitlog/${name}`, from: file.bytes, to: segmentBytes })
  }
  const [first] = ranges
  if (source !== undefined) {
    const known = given === undefined ? [] : [wholeFrames(files, root, given)]
    const wanted = merged([...(head ? [head] : []), ...suspect, ...known, ...(lost ? [lost] : [])])
    for (const range of wanted) {
      steps.push({ kind: 'fetch', from: range.from, to: range.to, source })
    }
  } else if (head !== undefined) {
    blocks.push(
      `the files of the log from ${head.from} to ${head.to} are missing: bring them back, or fetch them (--from-store, --from-master, --from-slave), or give them up with acceptLoss=true at the broker's start`,
    )
  } else if (first !== undefined && !cut) {
    blocks.push(
      `the log is damaged from ${first.from} on: say who has its bytes (--from-store DIR, --from-master HOST:PORT, --from-slave HOST:PORT), or give up what lies behind (--cut)`,
    )
  } else if (first !== undefined) {
    const isLoss = isOurs || survey.position !== undefined
    const to = Math.max(end, endOnFile, ...ranges.map((range) => range.to))
    steps.push({ kind: 'cut', at: first.from, to, lost: messagesFrom(files, root, first.from), isLoss })
    return { steps, isLost: false }
  }
  if (tail !== undefined) steps.push({ kind: 'cut', at: tail.from, to: tail.to, lost: [], isLoss: false })
  return { steps, isLost: lost !== undefined && source === undefined }
}

function derivedSteps(problems: readonly Finding[]): RepairStep[] {
  const isWrong = (start: string): boolean => problems.some(({ file }) => file.startsWith(start))
  const steps: RepairStep[] = []
  for (const file of ['checkpoint', 'queueEnds', 'indexFiles']) {
    if (problems.some((finding) => finding.file === file)) steps.push({ kind: 'set-aside', file })
  }
  if (isWrong('consumequeue/')) steps.push({ kind: 'rebuild', what: 'consumequeue' })
  if (isWrong('index/')) steps.push({ kind: 'rebuild', what: 'index' })
  return steps
}

/** Whether the copy of our epoch file has the last epoch, by Apache's file. */
function isWholeCopy(files: Files, root: string): boolean {
  try {
    const copy = readLineage(files, root, 'epochOpeners.bak')
    if (copy === undefined) return false
    using file = new StoredFile(files, `${root}/epochFileCheckpoint`)
    return decodeEpochFile(file.read(0, file.bytes).toString()).at(-1)?.epoch === lastEpoch(copy)
  } catch {
    return false
  }
}

function isReadable(files: Files, root: string): boolean {
  try {
    readPosition(files, root)
    return true
  } catch {
    return false
  }
}
