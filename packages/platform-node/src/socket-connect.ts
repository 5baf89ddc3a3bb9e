import type { Socket } from 'node:net'

/** Resolves with the socket once `event` has come. Rejects with the socket's error, or with the reason of `signal`, and destroys it then. */
export function connected<S extends Socket>(
  dial: () => S,
  event: 'connect' | 'secureConnect',
  signal: AbortSignal | undefined,
): Promise<S> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(reasonOf(signal))
      return
    }
    const socket = dial()
    const abort = (): void => {
      socket.destroy()
      if (signal !== undefined) reject(reasonOf(signal))
    }
    const fail = (failure: Error): void => {
      signal?.removeEventListener('abort', abort)
      reject(failure)
    }
    signal?.addEventListener('abort', abort, { once: true })
    socket.once('error', fail)
    socket.once(event, () => {
      signal?.removeEventListener('abort', abort)
      socket.off('error', fail)
      resolve(socket)
    })
  })
}

function reasonOf(signal: AbortSignal): unknown {
  return signal.reason
}
