import { forward, metadata, registry } from '@tandemmq/rpc'
import { SimulatedClock } from '@tandemmq/testkit'
import { BrokerCalls } from '@tandemmq/wire-grpc'
import { claim, claimSame } from '../engine/claim.ts'
import type { Target } from '../target.ts'
import { StrictMessaging } from '../worlds/strict-messaging.ts'
import { call } from './grpc-requests.ts'

interface Codec {
  decode(bytes: Uint8Array): unknown
  encode(message: unknown): { finish(): Uint8Array }
}

/** Every message of our own streams: between gateway and broker, for metadata, for registration. */
const CODECS: readonly (readonly [string, Codec])[] = [forward, metadata, registry].flatMap((module) =>
  Object.entries(module).filter((entry): entry is [string, Codec] => isCodec(entry[1])),
)

/** A message of a stream between our own processes, read as each of them; calls among the frames are made. */
export const streamFrames: Target = {
  name: 'stream-frames',
  holds:
    'an error of the decoder, or a message that encodes to bytes that decode to the same; each forwarded call ends as the client API says',
  allocation: { baseBytes: 16 * 1024 * 1024, perInputByte: 4096 },
  async run(input) {
    for (const [name, codec] of CODECS) comesBack(name, codec, input)
    const frames = decoded(() => forward.CallFrames.decode(input))?.frames ?? []
    const clock = new SimulatedClock()
    const api = new StrictMessaging()
    const broker = new BrokerCalls({ api, clock })
    for (const { method, payload, cancel, taken } of frames.slice(0, 8)) {
      if (!cancel && !taken) await call(clock, broker, method, payload)
    }
    broker.close()
    return frames.length > 0 ? 'taken' : 'refused'
  },
}

function comesBack(name: string, codec: Codec, input: Buffer): void {
  const message = decoded(() => codec.decode(input))
  if (message === undefined) return
  const again = codec.encode(message).finish()
  claimSame(plain(codec.decode(again)), plain(message), `the same ${name} comes back`)
  claim(!('polluted' in {}), 'the prototype of objects is as it was')
}

/** The decoder's own errors are what the stream then ends with; they have no type of their own. */
function decoded<T>(decode: () => T): T | undefined {
  try {
    return decode()
  } catch (error) {
    claim(error instanceof Error && !(error instanceof TypeError), `the decoder threw ${String(error)}`)
    return undefined
  }
}

/** Bytes as text: one kind of array or the other makes no difference. */
function plain(message: unknown): string {
  return JSON.stringify(
    message,
    function (this: Readonly<Record<string, unknown>>, key: string, value: unknown) {
      const whole = this[key]
      if (whole instanceof Map) return [...whole]
      return whole instanceof Uint8Array ? Buffer.from(whole).toString('hex') : value
    },
  )
}

function isCodec(value: unknown): value is Codec {
  return typeof value === 'object' && value !== null && 'decode' in value && 'encode' in value
}
