import { execFile } from 'node:child_process'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { promisify } from 'node:util'

const root = join(import.meta.dirname, '..', '..')
const LOOK_EVERY_MS = 100
const execute = promisify(execFile)

/** The cluster of docker-compose.yml under a project name and ports of its own. Removed with its volumes at the end. */
export class ComposeProject implements AsyncDisposable {
  /** The address of clients on this machine, `host:port`. */
  readonly endpoints: string
  readonly #name: string
  readonly #http: string
  readonly #environment: NodeJS.ProcessEnv

  private constructor(clientPort: number, httpPort: number) {
    this.endpoints = `127.0.0.1:${clientPort}`
    this.#http = `http://127.0.0.1:${httpPort}`
    this.#name = `tandemmq-bench-${process.pid}`
    this.#environment = {
      ...process.env,
      TANDEMMQ_PUBLISH: '127.0.0.1',
      TANDEMMQ_PUBLISHED_CLIENT_PORT: String(clientPort),
      TANDEMMQ_PUBLISHED_HTTP_PORT: String(httpPort),
    }
  }

  /** Nothing runs yet. Rejects with what is missing: an engine, or an image. */
  static async prepare(): Promise<ComposeProject> {
    await docker(['version', '--format={{.Server.Version}}'])
    for (const service of SERVICES) await docker(['image', 'inspect', imageOf(service)])
    await execute(join(root, 'docker', 'make-secrets'))
    return new ComposeProject(await freePort(), await freePort())
  }

  /** Resolves when all services are healthy, with how long that took, ms. */
  async up(): Promise<number> {
    const began = performance.now()
    await this.#compose('up', '--detach', '--wait')
    return Math.round(performance.now() - began)
  }

  /** Resolves when everything runs again and the cluster takes messages and serves consumers. */
  async recover(): Promise<void> {
    await this.#compose('unpause').catch(() => undefined) // Nothing was paused.
    await this.#compose('up', '--detach')
    while (!(await this.#isReady())) await setTimeout(LOOK_EVERY_MS)
  }

  /** How long it took, ms. */
  async down(): Promise<number> {
    const began = performance.now()
    await this.#compose('down', '--volumes')
    return Math.round(performance.now() - began)
  }

  kill(service: Service): Promise<void> {
    return this.#compose('kill', service)
  }

  stop(service: Service): Promise<void> {
    return this.#compose('stop', service)
  }

  pause(service: Service): Promise<void> {
    return this.#compose('pause', service)
  }

  /** Processor time that the containers have used since they were started, health checks included, ms. */
  async cpuMs(): Promise<number> {
    const script = `const fs = require('fs')
      const v2 = '/sys/fs/cgroup/cpu.stat'
      console.log(fs.existsSync(v2) ? Number(/usage_usec (\\d+)/.exec(fs.readFileSync(v2, 'utf8'))[1]) / 1e3
        : Number(fs.readFileSync('/sys/fs/cgroup/cpuacct/cpuacct.usage', 'utf8')) / 1e6)`
    let sum = 0
    for (const service of SERVICES) {
      sum += Number(await this.#output('exec', '--no-TTY', service, 'node', '--eval', script))
    }
    return sum
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.down()
  }

  async #isReady(): Promise<boolean> {
    try {
      return (await fetch(`${this.#http}/readyz`)).ok
    } catch {
      return false
    }
  }

  async #compose(...args: readonly string[]): Promise<void> {
    await this.#output(...args)
  }

  async #output(...args: readonly string[]): Promise<string> {
    const { stdout } = await execute('docker', ['compose', '--project-name', this.#name, ...args], {
      cwd: root,
      env: this.#environment,
    })
    return stdout
  }
}

export const SERVICES = ['metadata-rpc', 'broker-master', 'broker-slave'] as const
export type Service = (typeof SERVICES)[number]

/** What an image adds to the base that it names, MB. */
export async function addedMb(service: Service): Promise<number> {
  const image = imageOf(service)
  const base = await docker([
    'image',
    'inspect',
    '--format={{index .Config.Labels "org.opencontainers.image.base.name"}}',
    image,
  ])
  const added = (await sizeOf(image)) - (await sizeOf(base))
  return Math.round(added / 1e5) / 10
}

function imageOf(service: Service): string {
  return `tandemmq/${service}:local`
}

async function sizeOf(image: string): Promise<number> {
  return Number(await docker(['image', 'inspect', '--format={{.Size}}', image]))
}

async function docker(args: readonly string[]): Promise<string> {
  const { stdout } = await execute('docker', [...args])
  return stdout.trim()
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}
