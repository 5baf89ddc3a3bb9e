import * as fs from 'node:fs'
import { BrokerError } from '@tandemmq/base'

/**
 * The text of a small file that a person wrote. Whatever the name leads to, no more than `bytesMax` bytes are read and nobody is waited for: a pipe
 * or a device is refused. Throws `CONFIG_INVALID`, or what node:fs throws.
 */
export function readSmallFile(path: string, bytesMax: number): string {
  const descriptor = fs.openSync(path, fs.constants.O_RDONLY | (fs.constants.O_NONBLOCK ?? 0))
  try {
    const kind = fs.fstatSync(descriptor)
    if (!kind.isFile()) throw new BrokerError('CONFIG_INVALID', `${path} is no plain file`)
    const content = Buffer.alloc(bytesMax + 1)
    let length = 0
    while (length < content.length) {
      const count = fs.readSync(descriptor, content, length, content.length - length, null)
      if (count === 0) return content.toString('utf8', 0, length)
      length += count
    }
    throw new BrokerError('CONFIG_INVALID', `${path} is larger than ${bytesMax} bytes`)
  } finally {
    fs.closeSync(descriptor)
  }
}
