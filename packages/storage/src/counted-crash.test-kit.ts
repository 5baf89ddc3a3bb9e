import type { Files } from '@tandemmq/base'
import { WatchedFiles } from '@tandemmq/testkit'

/** A crash right before the n-th call that changes or syncs something, so that a test can crash at every one of a sequence. */
export class CountedCrash {
  /** What the process sees of the disk. After the crash its calls go on to a dead disk, which refuses them. */
  readonly files: Files
  /** Calls made while armed. */
  calls = 0
  crashed = false

  /** Calls count only while `isArmed`. */
  constructor(files: Files, isArmed: () => boolean, crashAt: number, crash: () => void) {
    this.files = new WatchedFiles(files, () => {
      if (!isArmed()) return
      this.calls += 1
      if (this.calls !== crashAt) return
      this.crashed = true
      crash()
    })
  }
}
