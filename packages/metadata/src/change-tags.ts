import type { ChangeKind } from './change.ts'

/** The number of each kind of change in journal and stream. Part of the format: never reuse one. */
export const CHANGE_TAGS: Readonly<Record<ChangeKind, number>> = {
  'topic-put': 1,
  'topic-delete': 2,
  'group-put': 3,
  'group-delete': 4,
  lease: 5,
  ack: 6,
  visibility: 7,
  reset: 8,
  cut: 9,
  delay: 10,
  'delay-levels': 11,
  progress: 12,
  moved: 13,
  diverged: 14,
  unsettled: 15,
}
