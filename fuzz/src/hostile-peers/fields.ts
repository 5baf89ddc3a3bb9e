import type { Control, Hello, Lineage, LogRange } from '@tandemmq/codec'
import type { ByteScript } from '../engine/byte-script.ts'

export const LOG_ID = '0123456789abcdef0123456789abcdef'
export const SECRET = Buffer.from('the secret of the set')
const FAR = Number.MAX_SAFE_INTEGER

/** The ancestry that honest peers of a script share: epoch 1 from 0, epoch 3 from 300. */
export function sharedLineage(newest = 3): Lineage {
  const epochs = [
    { epoch: 1, start: 0, opener: '00000000000000aa' },
    { epoch: 3, start: 300, opener: '00000000000000bb' },
  ]
  return {
    logId: LOG_ID,
    epochs: newest <= 3 ? epochs : [...epochs, { epoch: newest, start: 600, opener: '00000000000000cc' }],
  }
}

/** Positions that matter to a log, and some that no log has. */
export function scriptedOffset(script: ByteScript, end: number): number {
  const far = FAR - 1 - ((FAR - 1) % 65_536)
  const usual = [end, 0, 1, 300, 600, 65_536, end + 1, Math.max(0, end - 1), far, FAR - 1, far - 65_536]
  const choice = script.below(usual.length + 1)
  return usual[choice] ?? Math.min(script.long(), FAR - 1)
}

export function scriptedLineage(script: ByteScript, own: Lineage | undefined): Lineage | undefined {
  switch (script.below(6)) {
    case 0:
      return own
    case 1:
      return undefined
    case 2:
      return sharedLineage()
    case 3:
      return sharedLineage(4 + script.below(4))
    case 4:
      return { logId: 'f'.repeat(32), epochs: sharedLineage().epochs }
    default:
      return { logId: LOG_ID, epochs: manyEpochs(1 + script.below(40), script.short()) }
  }
}

function manyEpochs(count: number, first: number): Lineage['epochs'] {
  return Array.from({ length: count * 25 }, (_, index) => ({
    epoch: first + index + 1,
    start: index * 7,
    opener: '00000000000000dd',
  }))
}

/** A hello that is right unless the script says otherwise. */
export function scriptedHello(script: ByteScript, role: Hello['role'], own: Partial<Hello>): Hello {
  const wrong = script.byte()
  const end = own.end ?? 0
  const begin = (wrong & 1) === 0 ? (own.begin ?? 0) : Math.min(end, scriptedOffset(script, end))
  return {
    protocolVersion: wrong === 255 ? 0 : 1,
    role: wrong === 254 ? (role === 'slave' ? 'master' : 'slave') : role,
    cluster: wrong === 253 ? 'another' : 'c',
    set: wrong === 252 ? '../s' : 's',
    identity: `${role}-${wrong === 251 ? 'x'.repeat(247) : script.below(3)}`,
    instanceId: `i${script.below(3)}`,
    nonce: Buffer.alloc(16, wrong),
    flushed: Math.min(end, own.flushed ?? end),
    flush: (['when-required', 'always', 'never'] as const)[script.below(3)] ?? 'never',
    segmentBytes: wrong === 250 ? 1024 : 65_536,
    wallClock: wrong === 249 ? FAR - 1 : 1_735_689_600_000,
    ...own,
    begin,
    end,
  }
}

export function scriptedControl(script: ByteScript, end: number): Control {
  const which = script.byte()
  return {
    ...((which & 1) !== 0 && { ping: script.short() }),
    ...((which & 2) !== 0 && { pong: script.short() }),
    ...((which & 4) !== 0 && { confirmed: scriptedOffset(script, end) }),
    ...((which & 8) !== 0 && { flushed: scriptedOffset(script, end) }),
    ...((which & 16) !== 0 && { dispatched: scriptedOffset(script, end) }),
    ...((which & 32) !== 0 && { writable: (which & 64) !== 0, problem: '\u001b[31mno' }),
    ...((which & 128) !== 0 && scriptedComparison(script, end)),
  }
}

/** What is said of ranges and of leaving. */
function scriptedComparison(script: ByteScript, end: number): Control {
  const which = script.byte()
  return {
    ...((which & 1) !== 0 && { check: scriptedRange(script, end) }),
    ...((which & 2) !== 0 && { checked: { ...scriptedRange(script, end), crc: script.short() } }),
    ...((which & 4) !== 0 && { unchecked: scriptedRange(script, end) }),
    ...((which & 8) !== 0 && { mismatch: scriptedRange(script, end) }),
    ...((which & 16) !== 0 && { end: scriptedOffset(script, end) }),
    ...((which & 32) !== 0 && { leaving: (which & 64) !== 0 }),
    ...((which & 96) === 64 && { equal: scriptedRange(script, end) }),
    ...((which & 128) !== 0 && { countsTo: scriptedOffset(script, end) }),
  }
}

/** Not empty, as every range that is taken from the wire. */
function scriptedRange(script: ByteScript, end: number): LogRange {
  const from = scriptedOffset(script, end)
  return { from, to: Math.max(from + 1, scriptedOffset(script, end)) }
}
