import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ipBytes, isIpv6, readIp, unmappedIp, writeIp } from './host.ts'

function rewritten(ip: string): string {
  const bytes = Buffer.alloc(20, 0xee)
  const written = writeIp(bytes, 2, ip)
  expect(written).toBe(ipBytes(ip))
  expect(bytes.subarray(2 + written).every((byte) => byte === 0xee)).toBe(true)
  return readIp(bytes, 2, written)
}

describe('an address', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['255.255.255.255', '255.255.255.255'],
    ['::', '::'],
    ['::1', '::1'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['FE80::1%eth0', 'fe80::1'],
    ['2001:db8::1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:0:0:1::1', '2001:0:0:1::1'],
    ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
    ['::ffff:10.0.0.1', '::ffff:a00:1'],
  ])('%s is read back as %s', (ip, canonical) => {
    expect(rewritten(ip)).toBe(canonical)
  })

  it('keeps its meaning, whatever it is', () => {
    fc.assert(
      fc.property(fc.ipV4(), (ip) => {
        expect(rewritten(ip)).toBe(ip)
      }),
    )
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (random) => {
        const bytes = Buffer.from(random)
        const again = Buffer.alloc(16)
        expect(writeIp(again, 0, readIp(bytes, 0, 16))).toBe(16)
        expect(again.equals(bytes)).toBe(true)
      }),
    )
  })

  it.each([
    '',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '1..2.3',
    '.1.2.3',
    '1.2.3.4.',
    '1.2.3.x',
    ' 1.2.3.4',
    'localhost',
  ])('%j is none', (ip) =>
    expect(() => rewritten(ip)).toThrow(expect.objectContaining({ code: 'ILLEGAL_ARGUMENT' })),
  )

  it.each([
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '::12345',
    '::g',
    '::1.2.3',
    '1:2:3:4:5:6:7:8::',
  ])('%j is none either', (ip) =>
    expect(() => rewritten(ip)).toThrow(expect.objectContaining({ code: 'ILLEGAL_ARGUMENT' })),
  )

  it('of an IPv4 peer on a dual-stack socket is an IPv4 address', () => {
    expect(unmappedIp('::ffff:10.0.0.1')).toBe('10.0.0.1')
    expect(unmappedIp('::1')).toBe('::1')
    expect(isIpv6(unmappedIp('::FFFF:10.0.0.1'))).toBe(false)
  })
})
