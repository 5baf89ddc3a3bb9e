import { subscribe } from 'node:diagnostics_channel'

/** node:http2 tells of each stream here before grpc-js sees it, with the headers that grpc-js will read. */
const STREAM_CREATED = 'http2.server.stream.created'
const ENCODING = 'grpc-encoding'
/** No name of a compression: grpc-js answers UNIMPLEMENTED when a message is marked as compressed. */
const REFUSED = 'refused'

let isRefusing = false

/**
 * From now on no server of this process unpacks a compressed request. No official client sends one (bodies are compressed by the client itself,
 * and never unpacked here), and 16 KB can hold 16 MiB of zeros: a thousand calls at once would fill any memory. grpc-js has no option for it.
 */
export function refuseCompressedRequests(): void {
  if (isRefusing) return
  isRefusing = true
  subscribe(STREAM_CREATED, (message) => {
    const headers = headersOf(message)
    if (headers !== undefined && ENCODING in headers && headers[ENCODING] !== 'identity') {
      headers[ENCODING] = REFUSED
    }
  })
}

function headersOf(message: unknown): Record<string, unknown> | undefined {
  if (typeof message !== 'object' || message === null || !('headers' in message)) return undefined
  const { headers } = message
  return isRecord(headers) ? headers : undefined
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
