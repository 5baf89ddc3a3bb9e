import { messageOf } from '@tandemmq/base'
import type { Served } from './system.ts'

/** What became of a row of sends. */
export interface Tries {
  /** Bodies for which the broker said OK. */
  readonly acknowledged: readonly string[]
  /** What it said instead, each once, shortened. */
  readonly refusals: readonly string[]
}

/** Sends messages with bodies `<name>-1` to `<name>-<count>`, one after the other, whatever the answers. `padTo`: least length of a body, bytes. */
export async function trySends(
  broker: Served,
  topic: string,
  name: string,
  count: number,
  padTo = 0,
): Promise<Tries> {
  const acknowledged: string[] = []
  const refusals = new Set<string>()
  for (let n = 1; n <= count; n += 1) {
    const body = `${name}-${n}`
    try {
      await broker.send(topic, { body: body.padEnd(padTo) })
      acknowledged.push(body)
    } catch (failure) {
      refusals.add(codeOf(messageOf(failure)))
    }
  }
  return { acknowledged, refusals: [...refusals] }
}

/** ` (REASON)`, or nothing if all were acknowledged. */
export function refusedFor({ refusals }: Tries): string {
  return refusals.length === 0 ? '' : ` (${refusals.join(', ')})`
}

/** The name of an error in what a client says of it, or its first words. */
function codeOf(message: string): string {
  const [name] = /\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b/.exec(message) ?? []
  return name ?? message.slice(0, 60)
}
