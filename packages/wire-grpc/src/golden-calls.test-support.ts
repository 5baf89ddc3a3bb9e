import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

/** One message of a recorded call. */
export interface GoldenMessage {
  readonly file: string
  readonly direction: 'request' | 'response'
  readonly stored: 'plain' | 'gzip'
  /** Full protobuf name. */
  readonly type: string
  readonly length: number
}

/** One call between a client and a genuine proxy; see test/golden/grpc/README.md. */
export interface GoldenCall {
  readonly call: number
  readonly method: string
  readonly metadata: Readonly<Record<string, string>>
  readonly deadlineMs: number | null
  /** Null while the call was still open at the end of the recording. */
  readonly status: number | null
  readonly details: string | null
  readonly messages: readonly GoldenMessage[]
}

const DIRECTORY = new URL('../../../test/golden/grpc/', import.meta.url)

function loadIndex(): readonly GoldenCall[] {
  const index: { readonly calls: readonly GoldenCall[] } = JSON.parse(
    readFileSync(new URL('index.json', DIRECTORY), 'utf8'),
  )
  return index.calls
}

export const goldenCalls: readonly GoldenCall[] = loadIndex()

/** The call of that number. */
export function goldenCall(number: number): GoldenCall {
  const call = goldenCalls.find((candidate) => candidate.call === number)
  if (!call) throw new Error(`no golden call ${number}`)
  return call
}

/** The bytes of the messages of a call that went one way. */
export function goldenBytes(call: GoldenCall, direction: GoldenMessage['direction']): Buffer[] {
  return call.messages
    .filter((message) => message.direction === direction)
    .map(({ file, stored, length }) => {
      const name = stored === 'gzip' && !file.endsWith('.gz') ? `${file}.gz` : file
      const bytes = readFileSync(new URL(name, DIRECTORY))
      const plain = stored === 'gzip' ? gunzipSync(bytes) : bytes
      if (plain.length !== length) throw new Error(`${file} has ${plain.length} bytes, not ${length}`)
      return plain
    })
}

const STORE = new URL('../../../test/golden/store/files/commitlog/', import.meta.url)
const SEGMENT_BYTES = 65_536

/** The commit log of the store that the golden messages were delivered from, from a record's offset to the end of its segment. */
export function goldenLogFrom(offset: number): Buffer {
  const start = offset - (offset % SEGMENT_BYTES)
  const segment = readFileSync(new URL(`${start}`.padStart(20, '0'), STORE))
  return segment.subarray(offset - start)
}
