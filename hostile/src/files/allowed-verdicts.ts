import type { Verdict } from './verdict.ts'

const DERIVED = /\.bak$|\/checkpoint$|epochFileCheckpoint|queueEnds|\/consumequeue\/|\/index/

/**
 * What may come of damage to one byte of a file. Derived files and fallback copies are made good without a word that anybody would need; of the position file the
 * copy is used, unless the damage makes it look like a newer version's.
 */
export function allowedFor(file: string): readonly Verdict[] {
  if (DERIVED.test(file)) return ['whole']
  if (file.endsWith('position')) return ['whole', 'refused']
  if (file.endsWith('epochOpeners')) return ['told', 'refused']
  return ['whole', 'told', 'refused']
}
