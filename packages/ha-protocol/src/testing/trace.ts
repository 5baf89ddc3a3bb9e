/** A step of either machine, as far as a trace shows it. */
interface Shown {
  readonly state: { readonly kind: string }
  readonly effects: readonly { readonly kind: string }[]
}

/**
 * Runs a machine through timed events and writes one line for each:
 * `<ms> <event> -> <state> [effects]`, an effect with what is worth knowing of it.
 */
export function trace<State extends { readonly kind: string }, Event extends { readonly kind: string }>(
  start: State,
  step: (state: State, event: Event, now: number) => { readonly state: State } & Shown,
  script: readonly (readonly [number, Event])[],
): string[] {
  let state = start
  return script.map(([now, event]) => {
    const next = step(state, event, now)
    state = next.state
    return `${now} ${event.kind} -> ${state.kind} [${next.effects.map(shown).join(', ')}]`
  })
}

function shown(effect: { readonly kind: string }): string {
  const worth: unknown[] = []
  if ('position' in effect) worth.push(effect.position)
  if ('received' in effect) worth.push(effect.received)
  if ('offset' in effect) worth.push(effect.offset)
  if ('at' in effect) worth.push(effect.at)
  if ('counted' in effect) worth.push(effect.counted === true ? 'counted' : 'not counted')
  if ('refusal' in effect && hasReason(effect.refusal)) worth.push(effect.refusal.reason)
  if ('control' in effect) worth.push(JSON.stringify(effect.control))
  return [effect.kind, ...worth].join(' ')
}

function hasReason(value: unknown): value is { readonly reason: string } {
  return typeof value === 'object' && value !== null && 'reason' in value
}
