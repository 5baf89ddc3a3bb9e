import type { Mark } from './change.ts'

/** Older epochs are covered by the marks of newer ones in all but the strangest histories. */
const MARKS_MAX = 8

/** Sorted by log epoch, the highest record of each. The same array if nothing changed. */
export function withMark(marks: readonly Mark[], mark: Mark): readonly Mark[] {
  const index = marks.findIndex((other) => other.stamp.logEpoch >= mark.stamp.logEpoch)
  const same = marks[index]
  if (same?.stamp.logEpoch === mark.stamp.logEpoch) {
    if (same.queueOffset >= mark.queueOffset) return marks
    return marks.with(index, { queueOffset: mark.queueOffset, stamp: mark.stamp })
  }
  const at = index === -1 ? marks.length : index
  return marks.toSpliced(at, 0, { queueOffset: mark.queueOffset, stamp: mark.stamp }).slice(-MARKS_MAX)
}

export function mergedMarks(marks: readonly Mark[], others: readonly Mark[]): readonly Mark[] {
  return others.reduce(withMark, marks)
}
