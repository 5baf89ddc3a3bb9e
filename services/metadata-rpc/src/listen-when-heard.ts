import { messageOf, type Address, type Clock, type Logger } from '@tandemmq/base'
import type { GrpcServer } from '@tandemmq/wire-grpc'

const AGAIN_MS = 1_000

/**
 * Opens the port for clients once there is a cluster to speak of: a client that finds nobody listening tries the next address of its name at
 * once, and one that is let in too early would wait here for nothing. A port that is taken is tried again until it is free.
 */
export async function listenWhenHeard(
  server: GrpcServer,
  address: Address,
  heard: Promise<void>,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): Promise<Address> {
  await heard
  for (;;) {
    try {
      return await server.listen(address)
    } catch (cause) {
      logger.error({ why: messageOf(cause) }, 'clients cannot be let in, trying again')
      await new Promise<void>((resolve) => {
        clock.after(AGAIN_MS, resolve)
      })
    }
  }
}
