import { BrokerError, type Clock } from '@tandemmq/base'

/** Gives up on `work` after `ms`, with `FATE_UNKNOWN`: what was asked of a process that died is never answered. */
export function within<T>(clock: Clock, ms: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(ms, () => reject(new BrokerError('FATE_UNKNOWN', 'no answer in time')))
    work.finally(() => timer.cancel()).then(resolve, reject)
  })
}
