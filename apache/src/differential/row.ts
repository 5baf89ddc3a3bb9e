import type { Observation } from './scenario.ts'

/** What one system did, or why it could not be seen. */
export type Cell = Observation | { readonly failure: string }

/** One scenario, both systems. */
export interface Row {
  readonly scenario: string
  readonly done: string
  readonly asked: string
  readonly apache: Cell
  readonly tandemmq: Cell
  readonly seconds: number
}

/** Whether ours did what was asked, and genuine Apache beside it was seen at all. */
export function isGood({ apache, tandemmq }: Row): boolean {
  return 'holds' in tandemmq && tandemmq.holds && 'holds' in apache
}
