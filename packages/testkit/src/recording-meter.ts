import type { Counter, Histogram, Labels, Meter, Reading } from '@tandemmq/base'

/** Keeps every number, so that a test can ask what an operator would have seen. */
export class RecordingMeter implements Meter {
  readonly #readers = new Map<string, () => readonly Reading[]>()
  readonly #added = new Map<string, { readonly labels: Labels; value: number }[]>()

  /** Names in the order in which they were declared. */
  get names(): readonly string[] {
    return [...this.#readers.keys()]
  }

  /** The value of the one series of `name` that has at least these labels; of a histogram, how often it was observed. */
  value(name: string, labels: Labels = {}): number | undefined {
    const found = this.readings(name).filter(({ labels: own = {} }) =>
      Object.entries(labels).every(([label, value]) => own[label] === value),
    )
    if (found.length > 1) throw new Error(`${name} has ${found.length} series with ${JSON.stringify(labels)}`)
    return found[0]?.value
  }

  readings(name: string): readonly Reading[] {
    const read = this.#readers.get(name)
    if (read === undefined) throw new Error(`nobody declared ${name}`)
    return read()
  }

  counter(name: string): Counter {
    this.#declare(name)
    return { add: (amount = 1, labels = {}) => this.#add(name, amount, labels) }
  }

  histogram(name: string): Histogram {
    this.#declare(name)
    return { observe: (_value, labels = {}) => this.#add(name, 1, labels) }
  }

  observe(name: string, _help: string, _labelNames: readonly string[], read: () => readonly Reading[]): void {
    this.#readers.set(name, read)
  }

  total(name: string, help: string, labelNames: readonly string[], read: () => readonly Reading[]): void {
    this.observe(name, help, labelNames, read)
  }

  #declare(name: string): void {
    this.#readers.set(name, () => this.#added.get(name) ?? [])
  }

  #add(name: string, amount: number, labels: Labels): void {
    const series = this.#added.get(name) ?? []
    this.#added.set(name, series)
    const known = series.find((each) => JSON.stringify(each.labels) === JSON.stringify(labels))
    if (known === undefined) series.push({ labels, value: amount })
    else known.value += amount
  }
}
