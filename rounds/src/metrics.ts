/** The text of `/metrics` of one service. */
export class Metrics {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  /** Of the first series of `name` that has this label, or any; `undefined`: there is none. */
  value(name: string, label = ''): number | undefined {
    const [, value] = new RegExp(`^${name}(?:\\{[^}]*${label}[^}]*\\})? (\\S+)$`, 'm').exec(this.#text) ?? []
    return value === undefined ? undefined : Number(value)
  }
}
