import type { Clock, Facts, Logger } from '@tandemmq/base'
import type { ServingView } from '@tandemmq/registry'

/** What happened, as lines that a person reads. The same seed tells the same story, byte for byte. */
export class Story {
  readonly lines: string[] = []
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** @param who a machine, or what kind of thing is told */
  say(who: string, text: string, facts: Facts = {}): void {
    const seconds = (this.#clock.monotonic() / 1_000).toFixed(3).padStart(8)
    const known = Object.entries(facts).filter(([, value]) => value !== undefined)
    const tail = known.map(([name, value]) => ` ${name}=${value}`).join('')
    this.lines.push(`${seconds}  ${who.padEnd(9)} ${text}${tail}`)
  }

  /** What a process logs becomes part of the story, except its debug lines. */
  logger(who: string): Logger {
    return {
      debug() {},
      info: (facts, message) => this.say(who, message, facts),
      warn: (facts, message) => this.say(who, `! ${message}`, facts),
      error: (facts, message) => this.say(who, `!! ${message}`, facts),
    }
  }
}

/** Whom this gateway takes for serving and writable becomes part of the story. */
export function tellServing(story: Story, who: string, view: ServingView): void {
  view.onChange(({ serving, retired, writable }) => {
    const doubts = `${serving?.suspect === true ? ' (suspect)' : ''}${serving?.onPromise === true ? ' (on promise)' : ''}`
    const nobody = retired === undefined ? 'nobody' : 'nobody any more'
    const holder = serving === undefined ? nobody : `${serving.identity}${doubts}`
    story.say(who, `serving: ${holder}, writable: ${writable?.identity ?? 'nobody'}`)
  })
}
