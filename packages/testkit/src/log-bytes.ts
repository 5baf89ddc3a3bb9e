/** A log that can be read at any place. */
interface ReadableLog {
  readonly minOffset: number
  readonly end: number
  read(offset: number, maxBytes: number): Buffer
}

/** All bytes of a log from `from` on, which lies in it; default: where it begins. */
export function logBytes(log: ReadableLog, from = log.minOffset): Buffer {
  const parts: Buffer[] = []
  for (let at = from; at < log.end;) {
    const part = log.read(at, 1024 * 1024)
    parts.push(part)
    at += part.length
  }
  return Buffer.concat(parts)
}
