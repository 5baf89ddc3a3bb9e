import { randomUUID } from 'node:crypto'
import { engineApi, type EngineApi } from './engine.ts'
import { labels } from './labels.ts'

/** A network that only one test's containers are on, with the volumes they keep things on. */
export class TestNetwork implements AsyncDisposable {
  readonly name: string
  readonly #api: EngineApi
  readonly #volumes: string[] = []

  private constructor(name: string, api: EngineApi) {
    this.name = name
    this.#api = api
  }

  static async create(): Promise<TestNetwork> {
    const api = await engineApi()
    const name = `tandemmq-test-${randomUUID().slice(0, 8)}`
    await api.createNetwork({ Name: name, Labels: labels })
    return new TestNetwork(name, api)
  }

  /** The name of a new, empty volume. */
  async volume(of: string): Promise<string> {
    const name = `${this.name}-${of}-${this.#volumes.length}`
    await this.#api.createVolume({ Name: name, Labels: labels })
    this.#volumes.push(name)
    return name
  }

  /** Takes a container's cable out: it runs on, and nobody hears it. */
  async disconnect(container: string): Promise<void> {
    await this.#api.getNetwork(this.name).disconnect({ Container: container })
  }

  /** Puts it in again, under the same names, perhaps with another address. */
  async connect(container: string, aliases: readonly string[]): Promise<void> {
    const endpoint = { Container: container, EndpointConfig: { Aliases: [...aliases] } }
    await this.#api.getNetwork(this.name).connect(endpoint)
  }

  /** Containers must be gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#api.getNetwork(this.name).remove()
    await Promise.all(this.#volumes.map((name) => this.#api.getVolume(name).remove()))
  }
}
