import { writeFileSync } from 'node:fs'
import { BrokerError, messageOf } from '@tandemmq/base'

/**
 * Writes down where a port of this process is, `host:port` with the host it is bound to, for a program on this machine that cannot know the
 * configuration. Nothing if no file is named. Throws `CONFIG_INVALID` naming `key` if it cannot be written.
 */
export function writeAddressFile(key: string, path: string, address: string): void {
  if (path === '') return
  try {
    writeFileSync(path, `${address}\n`)
  } catch (cause) {
    throw new BrokerError(
      'CONFIG_INVALID',
      `${key} names a file that cannot be written: ${messageOf(cause)}`,
      {
        cause,
      },
    )
  }
}
