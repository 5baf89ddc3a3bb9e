import type { ClusterDescription, MemberState, SetState } from '@tandemmq/http'

/** The HTTP side of a running cluster. */
export class ClusterApi {
  readonly #url: string
  readonly #token: string

  /** `url` of metadata-rpc, and the admin token it was given. */
  constructor(url: string, token: string) {
    this.#url = url
    this.#token = token
  }

  /** Any request; the token is sent along. */
  fetch(path: string, body?: unknown): Promise<Response> {
    return fetch(`${this.#url}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        authorization: `Bearer ${this.#token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  }

  async state(): Promise<ClusterDescription> {
    const answer: ClusterDescription = JSON.parse(await (await this.fetch('/api/v1/cluster')).text())
    return answer
  }

  async set(name = 'broker-a'): Promise<SetState> {
    const found = (await this.state()).sets.find((set) => set.name === name)
    if (found === undefined) throw new Error(`no set ${name}`)
    return found
  }

  /** `identity`: `broker-a-0` is the master of broker-a. */
  async member(identity: string): Promise<MemberState> {
    const members = (await this.state()).sets.flatMap((set) => set.members)
    const found = members.find((member) => member.identity === identity)
    if (found === undefined) throw new Error(`no member ${identity}`)
    return found
  }

  async createTopic(topic: {
    readonly name: string
    readonly type?: string
    readonly queues?: number
  }): Promise<void> {
    const answer = await this.fetch('/api/v1/topics', topic)
    if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`)
  }
}
