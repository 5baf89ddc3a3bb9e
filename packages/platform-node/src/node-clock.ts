import type { Clock, Timer } from '@tandemmq/base'

/** The longest delay a timer of Node takes; above it, it would fire at once. */
const TIMER_MAX_MS = 2 ** 31 - 1

/** The machine's clocks. Timers do not keep the process alive, for longer than the turn that one of no delay waits for. */
export class NodeClock implements Clock {
  now(): number {
    return Date.now()
  }

  monotonic(): number {
    return performance.now()
  }

  after(delayMs: number, task: () => void): Timer {
    if (delayMs === 0) return nextTurn(task)
    // Node cuts fractions off: a task that comes too early finds nothing to do and waits once more.
    let remainingMs = Math.ceil(delayMs)
    let timer: NodeJS.Timeout
    const arm = (): void => {
      const stepMs = Math.min(remainingMs, TIMER_MAX_MS)
      remainingMs -= stepMs
      timer = setTimeout(remainingMs > 0 ? arm : task, stepMs).unref()
    }
    arm()
    return { cancel: () => clearTimeout(timer) }
  }
}

/** Once what has come in meanwhile is handled. A timer of Node waits for a millisecond at least. */
function nextTurn(task: () => void): Timer {
  const turn = setImmediate(task)
  return { cancel: () => clearImmediate(turn) }
}
