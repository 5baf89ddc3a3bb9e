import { fork } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'

/** A script that does tasks of one kind in processes of its own. Tasks and results travel as JSON. */
export class TaskScript<Task, Result> {
  readonly #url: URL

  constructor(url: URL) {
    this.#url = url
  }

  /**
   * Does all in `processes` processes, each one task at a time. `onResult` is called in the order of the tasks. Rejects if a process ends; the others end
   * with this one.
   */
  async doAll(
    tasks: Iterable<Task>,
    onResult: (task: Task, result: Result) => void,
    processes = availableParallelism(),
  ): Promise<void> {
    const left = [...tasks].entries()
    const early = new Map<number, () => void>()
    let next = 0
    const work = async (): Promise<void> => {
      using worker = new TaskProcess<Task, Result>(this.#url)
      for (const [place, task] of left) {
        const result = await worker.do(task)
        early.set(place, () => onResult(task, result))
        for (let tell = early.get(next); tell !== undefined; tell = early.get(next)) {
          early.delete(next)
          next += 1
          tell()
        }
      }
    }
    await Promise.all(Array.from({ length: processes }, work))
  }

  /** In the script itself: one task after the other, as the parent tells it. The process ends with its parent. */
  serve(perform: (task: Task) => Promise<Result>): void {
    process.on('message', ({ task }: { readonly task: Task }) => {
      void perform(task).then((result) => process.send?.({ result }))
    })
    process.on('disconnect', () => process.exit())
  }
}

class TaskProcess<Task, Result> implements Disposable {
  readonly #process

  constructor(script: URL) {
    this.#process = fork(script)
  }

  async do(task: Task): Promise<Result> {
    const controller = new AbortController()
    const { signal } = controller
    const died = once(this.#process, 'exit', { signal }).then(([code, how]: readonly unknown[]) => {
      throw new Error(`a process that does tasks has ended: ${String(code ?? how)}`)
    })
    const said = once(this.#process, 'message', { signal })
    try {
      this.#process.send({ task })
      const [{ result }] = await Promise.race([said, died])
      return result
    } finally {
      controller.abort()
      await Promise.allSettled([said, died])
    }
  }

  [Symbol.dispose](): void {
    this.#process.kill()
  }
}
