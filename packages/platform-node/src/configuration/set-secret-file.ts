import { BrokerError, messageOf, systemCodeOf } from '@tandemmq/base'
import { readSmallFile } from '../small-file.ts'

const SECRET_LENGTH_MIN = 16
const FILE_BYTES_MAX = 64 * 1024

/**
 * The secret that a file holds, without the line break at its end; nothing if no file is named. Throws `CONFIG_INVALID` naming `key` when the
 * file is missing, cannot be read, or what it holds is too short to be a secret.
 */
export function readSecretFile(key: string, path: string): Buffer | undefined {
  if (path === '') return undefined
  const secret = Buffer.from(contentOf(key, path).trim())
  if (secret.length >= SECRET_LENGTH_MIN) return secret
  throw new BrokerError(
    'CONFIG_INVALID',
    `${key} must name a file with at least ${SECRET_LENGTH_MIN} characters, but ${path} holds ${secret.length}`,
  )
}

function contentOf(key: string, path: string): string {
  try {
    return readSmallFile(path, FILE_BYTES_MAX)
  } catch (cause) {
    const why =
      systemCodeOf(cause) === 'ENOENT'
        ? `must name a file that exists, but there is no ${path}`
        : `names a file that cannot be read: ${messageOf(cause)}`
    throw new BrokerError('CONFIG_INVALID', `${key} ${why}`, { cause })
  }
}
