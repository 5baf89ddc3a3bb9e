import { BrokerError } from '@tandemmq/base'

/** One end of a connection, as a record stores it. */
export interface Host {
  /** IPv4 or IPv6 as text (a colon means IPv6). No names. */
  readonly ip: string
  /** In [0, 65535]; stored as an i32. */
  readonly port: number
}

/** Whether the i32 of a stored host can be a port. */
export function isPort(port: number): boolean {
  return port >= 0 && port <= 65535
}

export function isIpv6(ip: string): boolean {
  return ip.includes(':')
}

/** `::ffff:10.0.0.1`, as a dual-stack socket names an IPv4 peer, becomes `10.0.0.1`, as Java names it. */
export function unmappedIp(ip: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip)?.[1] ?? ip
}

/** Bytes that {@link writeIp} will take: 4 or 16. */
export function ipBytes(ip: string): 4 | 16 {
  return isIpv6(ip) ? 16 : 4
}

/** Writes the address in network order; returns 4 or 16. Throws `ILLEGAL_ARGUMENT` if the text is no address. */
export function writeIp(target: Buffer, at: number, ip: string): 4 | 16 {
  if (isIpv6(ip)) {
    writeIpv6(target, at, ip)
    return 16
  }
  writeIpv4(target, at, ip, ip, 0)
  return 4
}

/** Reads an address of 4 or 16 bytes; IPv6 in the canonical text of RFC 5952. */
export function readIp(source: Buffer, at: number, bytes: 4 | 16): string {
  if (bytes === 16) return readIpv6(source, at)
  return `${source[at]}.${source[at + 1]}.${source[at + 2]}.${source[at + 3]}`
}

/** Character by character, because this runs for every message and must leave no garbage behind. */
function writeIpv4(target: Buffer, at: number, ip: string, whole: string, from: number): void {
  let part = 0
  let value = -1
  for (let index = from; index <= ip.length; index += 1) {
    const code = index === ip.length ? DOT : ip.charCodeAt(index)
    if (code === DOT) {
      if (value < 0 || part > 3) throw noAddress(whole)
      target[at + part] = value
      part += 1
      value = -1
      continue
    }
    if (code < ZERO || code > NINE) throw noAddress(whole)
    value = (value < 0 ? 0 : value) * 10 + (code - ZERO)
    if (value > 255) throw noAddress(whole)
  }
  if (part !== 4) throw noAddress(whole)
}

const DOT = 0x2e
const ZERO = 0x30
const NINE = 0x39

function writeIpv6(target: Buffer, at: number, ip: string): void {
  const [address = ''] = ip.split('%', 1) // A zone is of no use on another machine, and is not stored.
  const halves = address.split('::')
  if (halves.length > 2) throw noAddress(ip)
  const [front, back] = halves
  const head = groupsOf(front ?? '', ip)
  const tail = back === undefined ? [] : groupsOf(back, ip)
  const missing = 8 - head.length - tail.length
  if (back === undefined ? missing !== 0 : missing < 1) throw noAddress(ip)
  const groups = [...head, ...Array.from({ length: missing }, () => 0), ...tail]
  for (const [index, group] of groups.entries()) target.writeUInt16BE(group, at + 2 * index)
}

function groupsOf(text: string, whole: string): number[] {
  if (text === '') return []
  return text.split(':').flatMap((group, index, all) => {
    if (index === all.length - 1 && group.includes('.')) {
      const dotted = Buffer.alloc(4)
      writeIpv4(dotted, 0, group, whole, 0)
      return [dotted.readUInt16BE(0), dotted.readUInt16BE(2)]
    }
    if (!/^[0-9a-f]{1,4}$/i.test(group)) throw noAddress(whole)
    return [Number.parseInt(group, 16)]
  })
}

function readIpv6(source: Buffer, at: number): string {
  const groups = Array.from({ length: 8 }, (_, index) => source.readUInt16BE(at + 2 * index))
  const gap = longestZeroRun(groups)
  if (gap.length < 2) return hex(groups)
  return `${hex(groups.slice(0, gap.start))}::${hex(groups.slice(gap.start + gap.length))}`
}

function hex(groups: readonly number[]): string {
  return groups.map((group) => group.toString(16)).join(':')
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 }
  let start = 0
  for (const [index, group] of groups.entries()) {
    if (group !== 0) start = index + 1
    else if (index + 1 - start > best.length) best = { start, length: index + 1 - start }
  }
  return best
}

function noAddress(ip: string): BrokerError {
  return new BrokerError('ILLEGAL_ARGUMENT', 'not an IP address', { facts: { ip } })
}
