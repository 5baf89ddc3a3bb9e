import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js'
import { forward as wire } from '@tandemmq/rpc'

/** The largest request or answer message of one call, bytes. A larger one is refused before it can break the stream for all others. */
export const PAYLOAD_BYTES_MAX = 8 * 1024 * 1024

/** The largest body of a stored message that reaches a consumer, bytes: with its properties (32 KiB) and what is said of it, it is one payload. */
export const MESSAGE_BODY_BYTES_MAX = PAYLOAD_BYTES_MAX - 1024 * 1024

/** As the generated definition, but the encoded bytes are handed on as they are instead of being copied once more. */
export const callsMethod: MethodDefinition<wire.CallFrames, wire.ReplyFrames> = {
  ...wire.ForwardService.calls,
  requestSerialize: (frames: wire.CallFrames) => wrapped(wire.CallFrames.encode(frames).finish()),
  responseSerialize: (frames: wire.ReplyFrames) => wrapped(wire.ReplyFrames.encode(frames).finish()),
  requestDeserialize: (bytes: Buffer) => wire.CallFrames.decode(bytes),
  responseDeserialize: (bytes: Buffer) => wire.ReplyFrames.decode(bytes),
}

export const forwardService: ServiceDefinition = { calls: callsMethod }

function wrapped(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
