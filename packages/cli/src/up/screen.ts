import { readableLine } from '@tandemmq/platform-node'

const COLOURS = [36, 32, 33, 35, 34, 31]

/** What a person sees: the launcher's own sentences and the lines of all services, each with its name before it. */
export class Screen {
  readonly #stream: NodeJS.WriteStream
  readonly #width: number
  readonly #names: readonly string[]

  /** `names`: everyone who will speak, for columns and colours. */
  constructor(stream: NodeJS.WriteStream, names: readonly string[]) {
    this.#stream = stream
    this.#names = names
    this.#width = Math.max('tandemmq'.length, ...names.map((name) => name.length))
    // A reader that has gone away (`npm start | head`) does not stop the cluster.
    stream.on('error', () => undefined)
  }

  /** A sentence of the launcher. */
  say(sentence: string): void {
    this.#put('tandemmq', sentence)
  }

  /** A line of a service's log. */
  log(service: string, line: string): void {
    this.#put(service, readableLine(line))
  }

  #put(name: string, line: string): void {
    const padded = name.padEnd(this.#width)
    const colour = COLOURS[this.#names.indexOf(name) % COLOURS.length]
    const head = this.#stream.isTTY && colour !== undefined ? `\u001B[${colour}m${padded}\u001B[0m` : padded
    this.#stream.write(`${head} | ${line}\n`)
  }
}
