import { BrokerError, type LogOffset } from '@tandemmq/base'
import { ipBytes, readIp, writeIp, type Host } from './host.ts'
import { isOffset, readInt64, writeInt64 } from './int64.ts'

/** What an offset message id says: which broker's log, and where. */
export interface OffsetMessageId {
  readonly storeHost: Host
  readonly offset: LogOffset
}

/** The broker's own name for a message: address, port and log offset in upper-case hex, 32 or 56 digits. */
export function encodeOffsetMessageId(storeHost: Host, offset: LogOffset): string {
  const bytes = Buffer.allocUnsafe(ipBytes(storeHost.ip) + 12)
  const portAt = writeIp(bytes, 0, storeHost.ip)
  bytes.writeInt32BE(storeHost.port, portAt)
  writeInt64(bytes, portAt + 4, offset)
  return bytes.toString('hex').toUpperCase()
}

/** Throws `ILLEGAL_ARGUMENT` for anything that {@link encodeOffsetMessageId} cannot have made (lower case is taken). */
export function decodeOffsetMessageId(text: string): OffsetMessageId {
  if (/^(?:[0-9a-f]{32}|[0-9a-f]{56})$/i.test(text)) {
    const bytes = Buffer.from(text, 'hex')
    const address = bytes.length === 16 ? 4 : 16
    const port = bytes.readInt32BE(address)
    const offset = readInt64(bytes, address + 4)
    if (port >= 0 && port <= 65535 && isOffset(offset)) {
      return { storeHost: { ip: readIp(bytes, 0, address), port }, offset }
    }
  }
  throw new BrokerError('ILLEGAL_ARGUMENT', 'not an offset message id', { facts: { length: text.length } })
}
