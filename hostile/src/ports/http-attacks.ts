import type { PortAttack } from './port-attack.ts'
import { RawPeer } from './raw-peer.ts'

const WITHIN_MS = 30_000

export const httpProtocol = {
  opening: Buffer.from('GET /readyz HTTP/1.1\r\nHost: x\r\nX-Long: '),
  unfinished: Buffer.from(
    'POST /api/v1/topics HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"name"',
  ),
  silentMax: 128,
}

const get = (path: string, more = ''): Buffer =>
  Buffer.from(`GET ${path} HTTP/1.1\r\nHost: x\r\n${more}Connection: close\r\n\r\n`)

/** Requests that are refused, whatever the service offers; the answer's status is looked at. */
export function httpAttacks(token: string): readonly PortAttack[] {
  const post = (body: string, more = ''): Buffer =>
    Buffer.from(
      `POST /api/v1/topics HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n` +
        `${more}Connection: close\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    )
  const refused = /^HTTP\/1\.1 4\d\d /
  return [
    asked('__proto__ in JSON', refused, post('{"name":"Hostile","__proto__":{"queues":1}}')),
    asked(
      'constructor.prototype in JSON',
      refused,
      post('{"name":"Hostile","constructor":{"prototype":{"queues":1}}}'),
    ),
    asked('10^6 levels of nesting', refused, post('['.repeat(1_000_000))),
    asked('30,000 levels of nesting', refused, post(`${'['.repeat(30_000)}${']'.repeat(30_000)}`)),
    asked('a number beyond 2^53', refused, post('{"name":"Hostile","queues":9007199254740993}')),
    asked('a number of 1,000 digits', refused, post(`{"name":"Hostile","queues":${'9'.repeat(1_000)}}`)),
    asked('a negative number', refused, post('{"name":"Hostile","queues":-1}')),
    asked('a body of 65 KiB', refused, post(`{"name":"${'x'.repeat(65 * 1024)}"}`)),
    asked(
      'a body of 2 GiB, declared',
      refused,
      Buffer.from(
        `POST /api/v1/topics HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: 2147483648\r\n\r\n{`,
      ),
    ),
    asked(
      'a body of -1 bytes',
      refused,
      Buffer.from('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n'),
    ),
    asked(
      'two lengths',
      refused,
      Buffer.from('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}'),
    ),
    asked(
      'a length and chunks',
      refused,
      Buffer.from(
        'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      ),
    ),
    asked(
      'a chunk of 2^63 bytes',
      /^HTTP\/1\.1 4\d\d |^$/,
      Buffer.from('POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n8000000000000000\r\n'),
    ),
    asked(
      'a broken UTF-8 body',
      refused,
      Buffer.concat([post('{"name":"').subarray(0, -9), Buffer.from('{"name":"\xff', 'latin1')]),
    ),
    asked('names that are paths', refused, post('{"name":"../../etc/passwd"}')),
    asked('a name with NUL', refused, post('{"name":"a\\u0000b"}')),
    asked('a name of 300 characters', refused, post(`{"name":"${'x'.repeat(300)}"}`)),
    asked('a look-alike name', refused, post('{"name":"Оrders"}')),
    asked('a wrong token', /^HTTP\/1\.1 40[14] /, get('/api/v1/cluster', 'Authorization: Bearer no\r\n')),
    asked(
      '/../ in the path',
      refused,
      get('/api/v1/topics/../../../../etc/passwd', `Authorization: Bearer ${token}\r\n`),
    ),
    asked(
      '%2e%2e%2f in the path',
      refused,
      get('/api/v1/topics/%2e%2e%2f%2e%2e%2fetc', `Authorization: Bearer ${token}\r\n`),
    ),
    asked('%00 in the path', refused, get('/api/v1/topics/a%00b', `Authorization: Bearer ${token}\r\n`)),
    asked('%zz in the path', refused, get('/api/v1/topics/%zz', `Authorization: Bearer ${token}\r\n`)),
    asked(
      '__proto__ in the path',
      refused,
      get('/api/v1/topics/__proto__', `Authorization: Bearer ${token}\r\n`),
    ),
    asked('a path of 100 KB', refused, get(`/${'a'.repeat(100_000)}`)),
    asked(
      '1,000 header fields of 1 KB',
      refused,
      get('/readyz', `x: ${'y'.repeat(1_000)}\r\n`.repeat(1_000)),
    ),
    asked('CONNECT', /^HTTP\/1\.1 4\d\d |^$/, Buffer.from('CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n')),
    asked('an upgrade', /^HTTP\/1\.1 /, get('/readyz', 'Upgrade: websocket\r\n')),
    asked('HTTP/2', /^HTTP\/1\.1 4\d\d |^$/, Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')),
    asked('no Host', /^HTTP\/1\.1 4\d\d /, Buffer.from('GET /readyz HTTP/1.1\r\n\r\n')),
    {
      attack: '100,000 requests in one connection, no answer read',
      expected: 'the send side stays bounded, closed in time',
      run: async (address) => {
        using peer = new RawPeer(address, false)
        await peer.connected()
        const one = Buffer.from('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(100))
        const done = await peer.repeat(1_000, () => one)
        peer.read()
        await peer.mustClose(WITHIN_MS)
        return `${done * 100} taken, then closed`
      },
    },
  ]
}

function asked(attack: string, status: RegExp, request: Buffer): PortAttack {
  return {
    attack,
    expected: expectationOf(status),
    run: async (address) => {
      using peer = new RawPeer(address)
      await peer.connected()
      await peer.say(request)
      await peer.answered(WITHIN_MS)
      const answer = peer.beginning
      if (!status.test(answer)) throw new Error(`answered with ${answer.slice(0, 200)}`)
      return answer.split('\r\n')[0] ?? ''
    },
  }
}

function expectationOf(status: RegExp): string {
  if (status.test('')) return 'refused or closed'
  return status.test('HTTP/1.1 200 OK') ? 'answered' : 'refused'
}
