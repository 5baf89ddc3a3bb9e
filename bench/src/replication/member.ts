import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { MemberRequest } from './member-options.ts'
import type { SendFigures, SendOrder } from './send-many.ts'

export type MemberCommand =
  | ({ readonly kind: 'send' } & SendOrder)
  | { readonly kind: 'reach'; readonly end: number }
  | { readonly kind: 'cpu' | 'replicas' | 'stop' }

export type MemberAnswer =
  | { readonly kind: 'up'; readonly ha: string; readonly end: number }
  | ({ readonly kind: 'sent'; readonly end: number } & SendFigures)
  | { readonly kind: 'reached'; readonly writtenMs: number; readonly dispatchedMs: number }
  | { readonly kind: 'cpu'; readonly us: number }
  | { readonly kind: 'replicas'; readonly isInSync: boolean }

/** A broker in a process of its own. One command at a time. */
export class Member implements AsyncDisposable {
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
  }

  static async start(request: MemberRequest): Promise<{ readonly member: Member; readonly haPort: number }> {
    const child = fork(join(import.meta.dirname, 'member-child.ts'), [JSON.stringify(request)], {
      execArgv: ['--conditions=@tandemmq/source', '--max-semi-space-size=16'],
    })
    const member = new Member(child)
    const { ha } = await member.#answer('up')
    return { member, haPort: Number(ha.split(':').at(-1)) }
  }

  async send(order: SendOrder): Promise<SendFigures & { readonly end: number }> {
    return this.#ask({ kind: 'send', ...order }, 'sent')
  }

  /** How long after its start the log, and then its queues, ended at `end`, ms. */
  async reach(end: number): Promise<{ readonly writtenMs: number; readonly dispatchedMs: number }> {
    return this.#ask({ kind: 'reach', end }, 'reached')
  }

  async cpuUs(): Promise<number> {
    return (await this.#ask({ kind: 'cpu' }, 'cpu')).us
  }

  async untilInSync(): Promise<void> {
    while (!(await this.#ask({ kind: 'replicas' }, 'replicas')).isInSync) {
      await once(AbortSignal.timeout(50), 'abort')
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, 'exit')
    this.#child.send({ kind: 'stop' } satisfies MemberCommand)
    await ended
  }

  #ask<Kind extends MemberAnswer['kind']>(
    command: MemberCommand,
    kind: Kind,
  ): Promise<Extract<MemberAnswer, { kind: Kind }>> {
    const answer = this.#answer(kind)
    this.#child.send(command)
    return answer
  }

  #answer<Kind extends MemberAnswer['kind']>(kind: Kind): Promise<Extract<MemberAnswer, { kind: Kind }>> {
    return new Promise((resolve, reject) => {
      const over = (code: number | null): void => reject(new Error(`a broker ended with code ${code}`))
      const heard = (words: Extract<MemberAnswer, { kind: Kind }>): void => {
        if (words.kind !== kind) return
        this.#child.off('exit', over)
        this.#child.off('message', heard)
        resolve(words)
      }
      this.#child.on('message', heard)
      this.#child.once('exit', over)
    })
  }
}
