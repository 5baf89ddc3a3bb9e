import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ClusterApi } from '@tandemmq/interop'
import { RandomPortGenerator } from 'testcontainers'
import { TAG } from './images.ts'
import { projectName } from './labels.ts'

const REPOSITORY = join(import.meta.dirname, '..', '..')
const PAGES = ['README.md', 'docs/containers.md'].map((page) => readFileSync(join(REPOSITORY, page), 'utf8'))
const execute = promisify(execFile)

/** A cluster that is brought up by typing what the documents print, under a project and on ports of its own. */
export class ComposeProject implements AsyncDisposable {
  /** Where clients of this machine find it. */
  readonly endpoints: string
  readonly name: string
  /** Everything the containers have printed, once they are gone. */
  said = ''
  readonly #environment: NodeJS.ProcessEnv
  readonly #http: string
  /** `-f FILE …`, as typed in the lines of this project. */
  readonly #files: string

  private constructor(name: string, files: readonly string[], grpc: number, http: number) {
    this.name = projectName(name)
    this.#files = files.map((file) => ` -f ${file}`).join('')
    this.endpoints = `127.0.0.1:${grpc}`
    this.#http = `http://127.0.0.1:${http}`
    this.#environment = {
      ...process.env,
      COMPOSE_PROJECT_NAME: this.name,
      TANDEMMQ_TAG: TAG,
      TANDEMMQ_PUBLISHED_CLIENT_PORT: String(grpc),
      TANDEMMQ_PUBLISHED_HTTP_PORT: String(http),
    }
  }

  /** `files`: as printed after `-f`; none: the one that compose finds by itself. */
  static async create(name: string, files: readonly string[] = []): Promise<ComposeProject> {
    const generator = new RandomPortGenerator()
    const ports = [await generator.generatePort(), await generator.generatePort()] as const
    return new ComposeProject(name, files, ...ports)
  }

  /** Types a line that a document prints; resolves when it is done. Throws what it said if it fails, or if no document prints it. */
  async type(line: string): Promise<void> {
    if (!PAGES.some((page) => page.split('\n').some((printed) => printed.split(/\s+#/)[0]?.trim() === line)))
      throw new Error(`no document prints: ${line}`)
    await this.#run(line)
  }

  /** The network that compose has made. */
  get network(): string {
    return `${this.name}_default`
  }

  /** With the token that make-secrets made. */
  get api(): ClusterApi {
    const token = readFileSync(join(REPOSITORY, 'docker/secrets/admin-token'), 'utf8').trim()
    return new ClusterApi(this.#http, token)
  }

  /** With all volumes. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.said = await this.#run(`docker compose${this.#files} logs --no-color`)
    await this.#run(`docker compose${this.#files} down --volumes --timeout 1`)
  }

  async #run(line: string): Promise<string> {
    const { stdout } = await execute('sh', ['-c', line], {
      cwd: REPOSITORY,
      env: this.#environment,
      maxBuffer: 64 * 1024 * 1024,
    })
    return stdout
  }
}
