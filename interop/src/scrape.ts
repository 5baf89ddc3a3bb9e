/** What one service says of itself over HTTP. */
export class Scrape {
  readonly #url: string

  /** `http://host:port` */
  constructor(url: string) {
    this.#url = url
  }

  async readiness(): Promise<Readiness> {
    const answer = await fetch(`${this.#url}/readyz`)
    const body: Omit<Readiness, 'status'> = JSON.parse(await answer.text())
    return { ...body, status: answer.status }
  }

  /** `name type` of every metric, and each with every label that one of its series has. */
  async declared(): Promise<{ readonly metrics: readonly string[]; readonly labels: ReadonlySet<string> }> {
    const text = await (await fetch(`${this.#url}/metrics`)).text()
    const metrics = [...text.matchAll(/^# TYPE (\S+ \S+)$/gm)].map(([, declared = '']) => declared)
    const labels = new Set<string>()
    for (const [, name = '', list = ''] of text.matchAll(/^([a-z_]+)\{(.*)\} \S+$/gm)) {
      for (const [, label = ''] of list.matchAll(/(\w+)="/g)) labels.add(`${name} ${label}`)
    }
    return { metrics, labels }
  }

  /** The sum over the series of `name` that have these labels; `undefined` if there is none. */
  async value(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number | undefined> {
    const text = await (await fetch(`${this.#url}/metrics`)).text()
    const found = text.split('\n').filter((line) => {
      const [series = ''] = line.split(' ')
      const isIt = series === name || series.startsWith(`${name}{`)
      return isIt && Object.entries(labels).every(([label, value]) => series.includes(`${label}="${value}"`))
    })
    if (found.length === 0) return undefined
    return found.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
  }
}

export interface Readiness {
  readonly status: number
  readonly ready: boolean
  readonly serving?: boolean
  readonly okMeans?: string
  readonly problems: readonly { readonly check: string; readonly message: string }[]
}
