import { crc32 } from 'node:zlib'

/**
 * The checksum RocketMQ stores everywhere: standard CRC-32 (IEEE) with the top bit cleared, so that Java may keep it
 * in a signed int. 0 for no bytes.
 */
export function crc32m(bytes: Uint8Array | string): number {
  return crc32(bytes) & 0x7fffffff
}
