import type { PortAttack } from './port-attack.ts'
import { RawPeer } from './raw-peer.ts'

const WITHIN_MS = 30_000
/** Refused for its content; 404 or 409 would mean that nobody looked at it. */
const REFUSED_BODY = /^HTTP\/1\.1 4(?:00|13) /
const NO_TOKEN = /^HTTP\/1\.1 401 /

/** The one call of a broker's own HTTP port that takes a body, with everything that JSON can hide. */
export function brokerHttpAttacks(token: string): readonly PortAttack[] {
  const ask = (body: string, authorization = `Authorization: Bearer ${token}\r\n`): Buffer =>
    Buffer.from(
      `POST /api/v1/replication/verify HTTP/1.1\r\nHost: x\r\n${authorization}Content-Type: application/json\r\n` +
        `Connection: close\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    )
  const cases: readonly (readonly [request: Buffer, status: RegExp])[] = [
    [ask('{"from":0,"__proto__":{"to":1}}'), REFUSED_BODY],
    [ask('{"from":0,"constructor":{"prototype":{"to":1}}}'), REFUSED_BODY],
    [ask('['.repeat(1_000_000)), REFUSED_BODY],
    [ask(`${'['.repeat(30_000)}${']'.repeat(30_000)}`), REFUSED_BODY],
    [ask(`{"from":${'{"from":'.repeat(5_000)}0${'}'.repeat(5_000)}}`), REFUSED_BODY],
    [ask('{"from":-1}'), REFUSED_BODY],
    [ask('{"to":9007199254740993}'), REFUSED_BODY],
    [ask(`{"to":${'9'.repeat(1_000)}}`), REFUSED_BODY],
    [ask('{"from":0.5}'), REFUSED_BODY],
    [ask('{"from":1e999}'), REFUSED_BODY],
    [ask('{"from":"../../etc"}'), REFUSED_BODY],
    [ask(`{"${'x'.repeat(65 * 1024)}":0}`), REFUSED_BODY],
    [ask('null'), REFUSED_BODY],
    [ask('{"from":0,'), REFUSED_BODY],
    [ask('{}', ''), NO_TOKEN],
    [ask('{}', 'Authorization: Bearer no\r\n'), NO_TOKEN],
    [ask('{}', `Authorization: Bearer ${token}x\r\n`), NO_TOKEN],
    // Ranges that are none, or not there: a master compares nothing then, a slave never does.
    [ask('{"from":9007199254740991}'), /^HTTP\/1\.1 (?:202|4\d\d|503) /],
    [ask('{"from":2,"to":1}'), /^HTTP\/1\.1 (?:202|4\d\d|503) /],
  ]
  return [
    {
      attack: `${cases.length} bodies for /api/v1/replication/verify: __proto__, nesting, numbers, tokens`,
      expected: 'each is refused for its content',
      run: async (address) => {
        for (const [request, status] of cases) await answeredWith(status, request, address)
        return `${cases.length} refused`
      },
    },
  ]
}

async function answeredWith(status: RegExp, request: Buffer, address: string): Promise<void> {
  using peer = new RawPeer(address)
  await peer.connected()
  await peer.say(request)
  await peer.answered(WITHIN_MS)
  if (status.test(peer.beginning)) return
  const body = request.toString('latin1').split('\r\n\r\n')[1]?.slice(0, 60)
  throw new Error(`${body} was answered with ${peer.beginning.slice(0, 200)}`)
}
