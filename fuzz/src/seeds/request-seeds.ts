import { forward, rocketmq } from '@tandemmq/rpc'
import { methodNames } from '../targets/grpc-requests.ts'
import { goldenFile, goldenNames } from './golden.ts'
import type { Seed } from './seed.ts'

/** Requests that official clients sent, the same in frames of our own stream, and files that people write. */
export function requestSeeds(): readonly Seed[] {
  return [...requests(), ...calls(), ...files(), ...bodies()]
}

function golden(): readonly { readonly method: string; readonly name: string; readonly bytes: Buffer }[] {
  return goldenNames('grpc').flatMap((file) => {
    const [, number = '', method = ''] = /^(\d+)-(\w+)-0-request\.bin$/.exec(file) ?? []
    const bytes = method === '' ? Buffer.alloc(0) : goldenFile(`grpc/${file}`)
    return methodNames.includes(method) && bytes.length < 1000
      ? [{ method, name: `${method}-${number}`, bytes }]
      : []
  })
}

function* requests(): Generator<Seed> {
  const send = Buffer.of(methodNames.indexOf('SendMessage'))
  yield { target: 'grpc-requests', name: 'wordy-message', bytes: Buffer.concat([send, wordy()]) }
  const seen = new Map<string, number>()
  for (const { method, name, bytes } of golden()) {
    const count = (seen.get(method) ?? 0) + 1
    seen.set(method, count)
    if (count > 12) continue
    yield {
      target: 'grpc-requests',
      name,
      bytes: Buffer.concat([Buffer.of(methodNames.indexOf(method)), bytes]),
    }
  }
}

/** A message with much text in every place: what is overwritten in it is mostly text, not a length. */
function wordy(): Buffer {
  const message = rocketmq.Message.fromPartial({
    topic: { name: 'Orders' },
    userProperties: new Map([['n'.repeat(40), 'v'.repeat(40)]]),
    systemProperties: {
      messageId: 'i'.repeat(40),
      tag: 't'.repeat(40),
      keys: ['k'.repeat(40)],
      messageGroup: 'g'.repeat(40),
    },
    body: Buffer.from('body'),
  })
  return Buffer.from(rocketmq.SendMessageRequest.encode({ messages: [message] }).finish())
}

function bytesOf(frames: readonly forward.CallFrame[]): Buffer {
  return Buffer.from(forward.CallFrames.encode({ frames: [...frames] }).finish())
}

function* calls(): Generator<Seed> {
  const made = golden()
    .slice(0, 4)
    .map(({ method, bytes }, index) =>
      forward.CallFrame.fromPartial({
        id: index + 1,
        method,
        payload: bytes,
        clientId: 'client',
        peerIp: '10.0.0.1',
        peerPort: 4000,
        deadlineMs: 3000,
        servingEpoch: 1,
      }),
    )
  yield { target: 'stream-frames', name: 'one-call', bytes: bytesOf(made.slice(0, 1)) }
  yield { target: 'stream-frames', name: 'four-calls', bytes: bytesOf(made) }
  const cancel = forward.CallFrame.fromPartial({ id: 1, cancel: true })
  yield {
    target: 'stream-frames',
    name: 'cancel',
    bytes: bytesOf([cancel, forward.CallFrame.fromPartial({ id: 2, taken: true })]),
  }
}

function* files(): Generator<Seed> {
  const target = 'configuration'
  const usual = [
    '# a broker',
    'brokerName=broker-a',
    'brokerClusterName = c',
    'listenPort:8081',
    'flushDiskType=SYNC_FLUSH',
    String.raw`storePathRootDir=C:\\data\u00e4`,
    'namesrvAddr=a:1;\\',
    '   b:2',
    '',
  ]
  yield { target, name: 'usual', bytes: Buffer.from(usual.join('\n')) }
  yield { target, name: 'windows', bytes: Buffer.from(usual.join('\r\n')) }
  yield { target, name: 'escapes', bytes: Buffer.from(String.raw`a\ b\=c=\t\n\:x`) }
}

function body(kind: number, value: unknown): Buffer {
  return Buffer.concat([Buffer.of(kind), Buffer.from(JSON.stringify(value))])
}

function* bodies(): Generator<Seed> {
  yield {
    target: 'http-json',
    name: 'topic',
    bytes: body(0, { name: 'Orders', type: 'FIFO', queues: 8, set: 'broker-a' }),
  }
  yield {
    target: 'http-json',
    name: 'group',
    bytes: body(1, { name: 'G', orderly: true, retryMaxTimes: 16 }),
  }
}
