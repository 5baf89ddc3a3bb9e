import type { Change } from './change.ts'

/** What is never handed on, nor taken from others: nobody else knows what this broker has moved, or what its log has lost. */
export function isOwnMatter({ kind }: Change): boolean {
  return kind === 'moved' || kind === 'diverged' || kind === 'unsettled'
}
