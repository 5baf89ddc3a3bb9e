/** The client's first bytes on every HTTP/2 connection. */
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

const TYPE = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  ping: 6,
  windowUpdate: 8,
  continuation: 9,
} as const
const END_STREAM = 1
const END_HEADERS = 4

/** A frame as it goes over the wire; `length` may lie about the payload. */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Buffer = Buffer.alloc(0),
  length = payload.length,
): Buffer {
  const header = Buffer.alloc(9)
  header.writeUIntBE(length, 0, 3)
  header.writeUInt8(type, 3)
  header.writeUInt8(flags, 4)
  header.writeUInt32BE(stream, 5)
  return Buffer.concat([header, payload])
}

/** `[identifier, value]` pairs; 4 is the initial window, 1 the header table. */
export function settings(...pairs: readonly (readonly [id: number, value: number])[]): Buffer {
  const payload = Buffer.alloc(pairs.length * 6)
  pairs.forEach(([id, value], index) => {
    payload.writeUInt16BE(id, index * 6)
    payload.writeUInt32BE(value, index * 6 + 2)
  })
  return frame(TYPE.settings, 0, 0, payload)
}

/** `payload`: eight bytes, which come back. */
export const pingOf = (payload: Buffer): Buffer => frame(TYPE.ping, 0, 0, payload)
export const ping = pingOf(Buffer.alloc(8))
export const emptySettings = settings()
/** What an honest client begins with. */
export const opening = Buffer.concat([PREFACE, emptySettings])

export function data(stream: number, payload: Buffer, isLast = false): Buffer {
  return frame(TYPE.data, isLast ? END_STREAM : 0, stream, payload)
}

export function reset(stream: number): Buffer {
  return frame(TYPE.reset, 0, stream, Buffer.from([0, 0, 0, 8]))
}

export function windowUpdate(stream: number, by: number): Buffer {
  const payload = Buffer.alloc(4)
  payload.writeUInt32BE(by)
  return frame(TYPE.windowUpdate, 0, stream, payload)
}

export function priority(stream: number): Buffer {
  return frame(TYPE.priority, 0, stream, Buffer.from([0, 0, 0, 0, 1]))
}

export function headers(
  stream: number,
  block: Buffer,
  { isLast = false, isWhole = true }: { readonly isLast?: boolean; readonly isWhole?: boolean } = {},
): Buffer {
  return frame(TYPE.headers, (isLast ? END_STREAM : 0) | (isWhole ? END_HEADERS : 0), stream, block)
}

export function continuation(stream: number, block: Buffer, isLast = false): Buffer {
  return frame(TYPE.continuation, isLast ? END_HEADERS : 0, stream, block)
}

/** A header block without compression: the request of a gRPC call. */
export function requestBlock(path: string, more: Readonly<Record<string, string>> = {}): Buffer {
  return Buffer.concat([
    Buffer.from([0x83, 0x86]), // :method POST, :scheme http
    literal(':path', path),
    literal(':authority', 'x'),
    literal('content-type', 'application/grpc'),
    literal('te', 'trailers'),
    ...Object.entries(more).map(([name, value]) => literal(name, value)),
  ])
}

/** One field, not indexed, with its name spelled out. */
export function literal(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.from([0]), text(name), text(value)])
}

/** One field that enters the peer's table, and the one byte that repeats it. */
export function indexed(name: string, value: string): { readonly enter: Buffer; readonly repeat: number } {
  return { enter: Buffer.concat([Buffer.from([0x40]), text(name), text(value)]), repeat: 0xbe }
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([integer(bytes.length, 7), bytes])
}

/** RFC 7541, 5.1. */
function integer(value: number, prefixBits: number): Buffer {
  const max = 2 ** prefixBits - 1
  if (value < max) return Buffer.from([value])
  const bytes = [max]
  let rest = value - max
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
  return Buffer.from([...bytes, rest])
}

/** A gRPC message as it lies in DATA; `length` may lie. */
export function grpcMessage(body: Buffer, length = body.length, isCompressed = false): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt8(isCompressed ? 1 : 0, 0)
  head.writeUInt32BE(length >>> 0, 1)
  return Buffer.concat([head, body])
}
