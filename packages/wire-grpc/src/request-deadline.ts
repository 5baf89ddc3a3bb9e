import { ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js'
import type { Clock } from '@tandemmq/base'

/**
 * Calls `cut` with the address of a peer one of whose requests has not arrived completely `withinMs` after its headers: a peer that drips, or stops
 * in the middle, holds what it has sent no longer than that. Its whole connection is to be closed: grpc-js can end such a call, but not its
 * stream, which would keep the bytes. Streams of requests may be silent as long as they like.
 */
export function requestDeadline(
  withinMs: number,
  clock: Clock,
  cut: (peer: string) => void,
): ServerInterceptor {
  return (method, call) => {
    if (method.requestStream) return new ServerInterceptingCall(call)
    return new ServerInterceptingCall(call, {
      start: (next) => {
        const timer = clock.after(withinMs, () => cut(call.getPeer()))
        next({
          onReceiveMessage: (message: unknown, pass: (message: unknown) => void) => {
            timer.cancel()
            pass(message)
          },
          onReceiveHalfClose: (pass) => {
            timer.cancel()
            pass()
          },
          onCancel: () => timer.cancel(),
        })
      },
    })
  }
}
