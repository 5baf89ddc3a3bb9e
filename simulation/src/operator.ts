import { messageOf } from '@tandemmq/base'
import type { Promoted, PromotionRequest, Registry } from '@tandemmq/registry'
import { SET } from './broker-node.ts'
import type { Cluster } from './cluster.ts'
import type { Promotion } from './plan.ts'
import type { Story } from './story.ts'

/** Makes members the master, as the plan says. A refusal is an answer like another: what was refused must not have happened. */
export class Operator {
  readonly #cluster: Cluster
  readonly #story: Story
  #isGone = false
  /** Asked, of whom, and not answered yet. */
  readonly #asked = new Set<{ readonly of: Registry }>()

  constructor(cluster: Cluster, story: Story) {
    this.#cluster = cluster
    this.#story = story
  }

  begin(promotions: readonly Promotion[]): void {
    for (const { at, to } of promotions) {
      this.#cluster.time.after(at, () => {
        if (!this.#isGone) void this.#ask({ set: SET, to, oldMasterIsOff: false, acceptLoss: false })
      })
    }
  }

  /** A promotion is under way; one that was asked of a process that died is not. */
  get isBusy(): boolean {
    const { registry } = this.#cluster.metadata
    return [...this.#asked].some((question) => question.of === registry)
  }

  /** The machine of the master is lost, and it is certain that it is: another one goes on (`--old-master-is-off`). Returns who; undefined: it was refused. */
  async replaceLost(): Promise<string | undefined> {
    const promoted = await this.#ask({ set: SET, oldMasterIsOff: true, acceptLoss: false })
    return promoted?.master
  }

  end(): void {
    this.#isGone = true
  }

  async #ask(request: PromotionRequest): Promise<Promoted | undefined> {
    const { registry } = this.#cluster.metadata
    if (registry === undefined) return undefined
    this.#story.say('--', `${request.to ?? 'whoever holds most'} is to be the master`)
    const question = { of: registry }
    this.#asked.add(question)
    try {
      const promoted = await registry.promote(request)
      this.#story.say('--', `${promoted.master} was made the master: ${promoted.words}`)
      return promoted
    } catch (cause) {
      this.#story.say('--', `nobody was made the master: ${messageOf(cause)}`)
      return undefined
    } finally {
      this.#asked.delete(question)
    }
  }
}
