import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LoneService } from '@tandemmq/interop'

export interface OurBrokerOptions {
  readonly role: 'master' | 'slave'
  readonly store: string
  /** Its configuration; of its own for each start. */
  readonly home: string
  readonly keys?: Readonly<Record<string, string | number | boolean>>
  /** Further environment variables. */
  readonly environment?: Readonly<Record<string, string>>
}

/** One of our brokers as a process of its own, without metadata-rpc. */
export class OurBroker implements AsyncDisposable {
  /** For clients. */
  readonly endpoints: string
  readonly haAddress: string
  readonly service: LoneService

  private constructor(service: LoneService, endpoints: string, haAddress: string) {
    this.service = service
    this.endpoints = endpoints
    this.haAddress = haAddress
  }

  static async start({
    role,
    store,
    home,
    keys = {},
    environment = {},
  }: OurBrokerOptions): Promise<OurBroker> {
    mkdirSync(home, { recursive: true })
    const values = {
      brokerName: 'broker-a',
      brokerId: role === 'master' ? 0 : 1,
      brokerRole: role === 'master' ? 'ASYNC_MASTER' : 'SLAVE',
      grpcPort: 0,
      httpPort: 0,
      haListenPort: 0,
      mappedFileSizeCommitLog: 1024 * 1024,
      defaultTopicQueueNums: 2,
      storePathRootDir: store,
      logFormat: 'json',
      ...keys,
    }
    const file = join(home, 'broker.conf')
    const lines = Object.entries(values).map(([name, value]) => `${name}=${String(value)}\n`)
    writeFileSync(file, lines.join(''))
    const service = LoneService.startWith(environment, `broker-${role}`, '-c', file)
    const up = service.lines.line(['"broker is up"'])
    const ended = service.exit.then((code) => {
      throw new Error(`our ${role} ended with ${String(code)}:\n${service.lines.all.join('\n')}`)
    })
    ended.catch(() => undefined)
    const facts: { readonly grpc: string; readonly ha?: string } = JSON.parse(await Promise.race([up, ended]))
    return new OurBroker(service, facts.grpc, facts.ha ?? '')
  }

  /** Warnings and errors it has logged. */
  complaints(): readonly string[] {
    return this.service.lines.all.filter((line) => /"level":"?(?:warn|error|40|50)/.test(line))
  }

  async stop(): Promise<void> {
    const code = await this.service.stop()
    if (code !== 0)
      throw new Error(`our broker ended with ${String(code)}:\n${this.service.lines.all.join('\n')}`)
  }

  async kill(): Promise<void> {
    await this.service.kill()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.service[Symbol.asyncDispose]()
  }
}
