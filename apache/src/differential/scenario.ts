import type { System } from './system.ts'

/** What a system did in a scenario. */
export interface Observation {
  /** In words, with the figures of this run. */
  readonly words: string
  /** Whether what the scenario asks for was true; judged by the same rule for all systems. */
  readonly holds: boolean
  readonly figures: Readonly<Record<string, number>>
}

/** One fault, brought about in the same way for all systems. */
export interface Scenario {
  /** On the command line. */
  readonly name: string
  /** What is done. */
  readonly done: string
  /** What must be true then. */
  readonly asked: string
  observe(system: System): Promise<Observation>
}
