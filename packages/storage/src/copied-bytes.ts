import { BrokerError, type LogOffset } from '@tandemmq/base'
import type { CommitLog } from './commit-log.ts'
import type { Dispatcher } from './dispatcher.ts'

/** Appends bytes of another log at the offset they have there; errors as those of `MessageStore.appendRaw`. */
export function appendCopied(
  { log, dispatcher }: { readonly log: CommitLog; readonly dispatcher: Dispatcher },
  at: LogOffset,
  bytes: Buffer,
): void {
  const end = log.written.at
  const space = log.segmentBytes - (at % log.segmentBytes)
  const fits = at === end || log.canBeginAt(at)
  if (!fits || bytes.length > space) {
    const what = `${bytes.length} bytes at ${at} do not continue the log at ${end}`
    const facts = { at, bytes: bytes.length, end, segmentBytes: log.segmentBytes }
    throw new BrokerError('ILLEGAL_ARGUMENT', what, { facts })
  }
  if (bytes.length === 0) return
  if (at !== end) {
    log.beginAt(at)
    dispatcher.beginAt(at)
  }
  log.appendRaw(bytes)
  dispatcher.copying()
  log.announce()
}
