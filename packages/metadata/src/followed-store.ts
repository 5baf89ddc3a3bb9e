import type { Answer, KindResult, SyncResult } from './answer.ts'
import type { ChangeIntake } from './change-intake.ts'
import { compareCursors, type Cursor } from './cursor.ts'
import { METADATA_KINDS, type MetadataKind, type Snapshot } from './snapshot.ts'

/** What another store says, and up to where that of the one that is followed is applied. Deletes nothing that was not explicitly deleted. */
export class FollowedStore {
  readonly #intake: ChangeIntake
  #cursor: Cursor | undefined

  constructor(intake: ChangeIntake) {
    this.#intake = intake
  }

  /** What to ask for next; undefined: everything. */
  get cursor(): Cursor | undefined {
    return this.#intake.hasForgotten && this.#intake.pending === 0 ? undefined : this.#cursor
  }

  /** Everything is asked for anew. */
  askAnew(): void {
    this.#cursor = undefined
  }

  apply(answer: Answer): SyncResult {
    if (answer.snapshot !== undefined) {
      this.#intake.begin()
      const result = this.#applySnapshot(answer.snapshot, answer.problems)
      // A pull may be overtaken by the watch.
      const isOld =
        this.#cursor?.processEpoch === answer.cursor.processEpoch &&
        compareCursors(answer.cursor, this.#cursor) < 0
      if (!isOld) this.#cursor = answer.cursor
      return result
    }
    const { since } = answer
    const applied = this.cursor
    const known =
      applied && since && applied.processEpoch === since.processEpoch ? applied.counter - since.counter : -1
    // Without all changes between the two cursors they cannot be told apart by their place.
    const isWhole = answer.changes.length === answer.cursor.counter - (since?.counter ?? 0)
    if (known < 0 || known > answer.changes.length || (known > 0 && !isWhole)) {
      this.#cursor = undefined
      return this.#result('gap', new Map(), METADATA_KINDS, answer.problems, 0)
    }
    const effects = new Map<MetadataKind, number>()
    const dropped = this.#intake.take(answer.changes.slice(known), effects)
    this.#cursor = answer.cursor
    return this.#result('applied', effects, METADATA_KINDS, answer.problems, dropped)
  }

  /** All that any member knows. */
  merge(snapshot: Snapshot): SyncResult {
    return this.#applySnapshot(snapshot, undefined)
  }

  #applySnapshot(snapshot: Snapshot, problems: Answer['problems']): SyncResult {
    const present = METADATA_KINDS.filter((kind) => snapshot[kind] !== undefined)
    const effects = new Map<MetadataKind, number>()
    let dropped = 0
    for (const kind of present) dropped += this.#intake.take(snapshot[kind] ?? [], effects)
    return this.#result('applied', effects, present, problems, dropped)
  }

  #result(
    outcome: SyncResult['outcome'],
    effects: ReadonlyMap<MetadataKind, number>,
    present: readonly MetadataKind[],
    problems: Answer['problems'],
    dropped: number,
  ): SyncResult {
    const resultOf = (kind: MetadataKind): KindResult => {
      const why = problems?.[kind]
      const applied = effects.get(kind) ?? 0
      if (why !== undefined) return { status: 'refused', applied, why }
      return { status: outcome === 'applied' && present.includes(kind) ? 'ok' : 'missing', applied }
    }
    const kinds = {
      topics: resultOf('topics'),
      groups: resultOf('groups'),
      progress: resultOf('progress'),
      delay: resultOf('delay'),
    }
    return { outcome, kinds, dropped, pending: this.#intake.pending }
  }
}
