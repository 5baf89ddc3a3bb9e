import type { Clock, LogOffset } from '@tandemmq/base'
import { Alarm } from './alarm.ts'
import { BinaryHeap } from './binary-heap.ts'
import type { VisibleEnd } from './message-log.ts'

interface Expiry {
  readonly topic: string
  readonly group: string
  readonly at: number
}

/**
 * When waiting polls are worth another look: a message arrived, became visible, or its lease ended. Many reasons within one turn
 * are one look; there is one timer, for the earliest end of a lease; nothing polls.
 */
export class WakeUps {
  readonly #clock: Clock
  readonly #visible: VisibleEnd
  readonly #look: (topic: string, group: string | undefined) => void
  readonly #stop: () => void
  /** Topics with the groups to look at; `all` when a message has come for whoever waits. */
  #due = new Map<string, Set<string> | 'all'>()
  #isPlanned = false
  /** By topic: the end at which its next message becomes visible. */
  readonly #hidden = new Map<string, LogOffset>()
  readonly #expiries = new BinaryHeap<Expiry>((a, b) => a.at < b.at)
  readonly #earliest = new Map<string, number>()
  readonly #alarm: Alarm

  /** @param look called in a turn of its own, never from within the cause */
  constructor(clock: Clock, visible: VisibleEnd, look: (topic: string, group: string | undefined) => void) {
    this.#clock = clock
    this.#visible = visible
    this.#look = look
    this.#alarm = new Alarm(clock, () => this.#expired())
    this.#stop = visible.onAdvance((at) => this.#revealed(at))
  }

  topic(topic: string): void {
    this.#due.set(topic, 'all')
    this.#plan()
  }

  group(topic: string, group: string): void {
    const groups = this.#due.get(topic)
    if (groups === 'all') return
    if (groups) groups.add(group)
    else this.#due.set(topic, new Set([group]))
    this.#plan()
  }

  /** There is a message that ends at `end` and cannot be seen before that is visible. */
  whenVisible(topic: string, end: LogOffset): void {
    if (end <= this.#visible.at) this.topic(topic)
    else this.#hidden.set(topic, Math.min(end, this.#hidden.get(topic) ?? Infinity))
  }

  /** A lease of this group ends at `at` (monotonic, ms). */
  whenExpired(topic: string, group: string, at: number): void {
    const key = keyOf(topic, group)
    if (at >= (this.#earliest.get(key) ?? Infinity)) return
    this.#earliest.set(key, at)
    this.#expiries.push({ topic, group, at })
    this.#alarm.setFor(this.#expiries.peek()?.at)
  }

  close(): void {
    this.#stop()
    this.#alarm.setFor(undefined)
    this.#due.clear()
  }

  #revealed(at: LogOffset): void {
    for (const [topic, end] of this.#hidden) {
      if (end > at) continue
      this.#hidden.delete(topic)
      this.topic(topic)
    }
  }

  #expired(): void {
    const now = this.#clock.monotonic()
    for (
      let next = this.#expiries.peek();
      next !== undefined && next.at <= now;
      next = this.#expiries.peek()
    ) {
      this.#expiries.pop()
      const key = keyOf(next.topic, next.group)
      if (this.#earliest.get(key) !== next.at) continue // An earlier one came in later, and has been.
      this.#earliest.delete(key)
      this.group(next.topic, next.group)
    }
    this.#alarm.setFor(this.#expiries.peek()?.at)
  }

  #plan(): void {
    if (this.#isPlanned) return
    this.#isPlanned = true
    queueMicrotask(() => {
      this.#isPlanned = false
      const due = this.#due
      this.#due = new Map()
      for (const [topic, groups] of due) {
        if (groups === 'all') this.#look(topic, undefined)
        else for (const group of groups) this.#look(topic, group)
      }
    })
  }
}

function keyOf(topic: string, group: string): string {
  return `${group}\n${topic}`
}
