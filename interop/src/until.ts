import { setTimeout as pause } from 'node:timers/promises'

const LOOK_EVERY_MS = 20
/** Only ends a wait that would never end. */
export const GIVE_UP_MS = 30_000

/**
 * Waits for something that only the outside knows (an HTTP answer, a file): looks until `look` gives a value.
 * A look that throws is a look that found nothing. Rejects with `what` and the last failure.
 */
export async function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  giveUpMs = GIVE_UP_MS,
): Promise<T> {
  const lateAt = performance.now() + giveUpMs
  let last: unknown
  for (;;) {
    try {
      const found = await look()
      if (found !== undefined && found !== false) return found
      last = undefined
    } catch (failure) {
      last = failure
    }
    if (performance.now() > lateAt) throw new Error(`waited in vain for: ${what}`, { cause: last })
    await pause(LOOK_EVERY_MS)
  }
}
