import { mayPass, messageOf, type Clock, type Logger } from '@tandemmq/base'

const RETRY_MS = 1000

/**
 * What has begun must end: while room or descriptors are missing, it is tried again every second, until `isOver`. `attempt` must be one that can be
 * made again after it failed half way.
 */
export async function insist<T>(
  what: string,
  attempt: () => Promise<T>,
  ports: { readonly clock: Clock; readonly logger: Logger },
  isOver: () => boolean,
): Promise<T> {
  for (;;) {
    try {
      return await attempt()
    } catch (failure) {
      if (isOver() || !mayPass(failure)) throw failure
      ports.logger.warn(
        { what, why: messageOf(failure) },
        'this has to wait for room on the disk, or for file descriptors',
      )
    }
    await new Promise<void>((resolve) => {
      ports.clock.after(RETRY_MS, resolve)
    })
  }
}
