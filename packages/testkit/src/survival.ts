/** A change that no sync has covered: a power cut may take it, or a part of it. */
export interface UnsyncedChange {
  /** Of all changes to the disk. */
  readonly order: number
  readonly kind: 'write' | 'truncate' | 'name'
  readonly path: string
  /** Numbers, in the file, of the sectors that a write touches. */
  readonly sectors: readonly number[]
}

/** Decides what is on the disk after a power cut. */
export interface Survival {
  /** For people: what survives. */
  readonly name: string
  /**
   * Whether the change of that order got there; of a write, each sector for itself. A sector that is kept brings the earlier writes
   * to it along: what is written back is the sector as it is then.
   */
  keeps(order: number, sector?: number): boolean
}

/**
 * What a power cut can leave. Up to `allUpTo` states: every one of them, each sector as any of its writes has left it, each other change there or not.
 * Where there are more, as far as they are worth telling apart: nothing; everything; what came before each change, that change torn at each
 * sector; everything but one piece; one piece alone; contents without names, names without contents, everything without changes of length; everything
 * but one file; one file alone. (A piece: a sector of a file, or another change.) Writes come back in another order than they were made.
 */
export function* survivals(changes: readonly UnsyncedChange[], allUpTo = 1): Iterable<Survival> {
  const pieces = piecesOf(changes)
  const states = pieces.reduce((count, { orders }) => count * (orders.length + 1), 1)
  yield* states <= allUpTo ? everySurvival(pieces, states) : notableSurvivals(changes, pieces)
}

/** Each piece in each of its states, whatever the others are in. */
function* everySurvival(pieces: readonly Piece[], states: number): Iterable<Survival> {
  for (let state = 0; state < states; state += 1) {
    const names: string[] = []
    const kept: { readonly piece: Piece; readonly upTo: number }[] = []
    let rest = state
    for (const piece of pieces) {
      const count = rest % (piece.orders.length + 1)
      rest = Math.floor(rest / (piece.orders.length + 1))
      const upTo = piece.orders[count - 1]
      if (upTo === undefined) continue
      kept.push({ piece, upTo })
      names.push(count === piece.orders.length ? piece.name : `${piece.name} up to change ${upTo}`)
    }
    yield {
      name: names.join(' and ') || 'nothing',
      keeps: (order, sector) => kept.some(({ piece, upTo }) => order <= upTo && piece.has(order, sector)),
    }
  }
}

function* notableSurvivals(changes: readonly UnsyncedChange[], pieces: readonly Piece[]): Iterable<Survival> {
  yield { name: 'nothing', keeps: () => false }
  if (changes.length === 0) return
  yield { name: 'everything', keeps: () => true }
  for (const { order, path, kind, sectors } of changes) {
    const what = `${kind} ${order} of ${path}`
    yield { name: `everything before ${what}`, keeps: (other) => other < order }
    for (const torn of sectors.slice(1)) {
      yield {
        name: `everything before ${what}, which is torn at sector ${torn}`,
        keeps: (other, sector = 0) => other < order || (other === order && sector < torn),
      }
      yield {
        name: `everything before ${what}, of which only the part from sector ${torn} on is there`,
        keeps: (other, sector = 0) => other < order || (other === order && sector >= torn),
      }
    }
  }
  for (const piece of pieces) {
    yield { name: `everything but ${piece.name}`, keeps: (order, sector) => !piece.has(order, sector) }
    yield { name: `nothing but ${piece.name}`, keeps: (order, sector) => piece.has(order, sector) }
  }
  const names = ordersOf(changes, ({ kind }) => kind === 'name')
  yield { name: 'contents without names', keeps: (order) => !names.has(order) }
  yield { name: 'names without contents', keeps: (order) => names.has(order) }
  const lengths = ordersOf(changes, ({ kind }) => kind === 'truncate')
  yield { name: 'everything but lengths', keeps: (order) => !lengths.has(order) }
  for (const path of new Set(changes.map((change) => change.path))) {
    const own = ordersOf(changes, (change) => change.path === path)
    yield { name: `everything but what happened to ${path}`, keeps: (order) => !own.has(order) }
    yield { name: `nothing but what happened to ${path}`, keeps: (order) => own.has(order) }
  }
}

function ordersOf(
  changes: readonly UnsyncedChange[],
  isMeant: (change: UnsyncedChange) => boolean,
): ReadonlySet<number> {
  return new Set(changes.filter(isMeant).map(({ order }) => order))
}

interface Piece {
  readonly name: string
  /** Of the changes that have made it what it is. */
  readonly orders: readonly number[]
  has(order: number, sector?: number): boolean
}

function piecesOf(changes: readonly UnsyncedChange[]): readonly Piece[] {
  const pieces = new Map<string, Piece>()
  for (const { order, kind, path, sectors } of changes) {
    if (kind !== 'write') {
      const name = `${kind} ${order} of ${path}`
      pieces.set(name, { name, orders: [order], has: (other) => other === order })
      continue
    }
    for (const sector of sectors) {
      const name = `sector ${sector} of ${path}`
      if (pieces.has(name)) continue
      const orders = changes.flatMap((other) =>
        other.kind === 'write' && other.path === path && other.sectors.includes(sector) ? [other.order] : [],
      )
      pieces.set(name, { name, orders, has: (other, its) => its === sector && orders.includes(other) })
    }
  }
  return [...pieces.values()]
}
