import { existsSync, readFileSync } from 'node:fs'
import { BrokerError } from '@tandemmq/base'

const SECRET_LENGTH_MIN = 16

/**
 * The secret that a file holds, without the line break at its end; nothing if no file is named. Throws `CONFIG_INVALID` naming `key` when the
 * file is missing or what it holds is too short to be a secret.
 */
export function readSecretFile(key: string, path: string): Buffer | undefined {
  if (path === '') return undefined
  if (!existsSync(path))
    throw new BrokerError('CONFIG_INVALID', `${key} must name a file that exists, but there is no ${path}`)
  const secret = Buffer.from(readFileSync(path, 'utf8').trim())
  if (secret.length >= SECRET_LENGTH_MIN) return secret
  throw new BrokerError(
    'CONFIG_INVALID',
    `${key} must name a file with at least ${SECRET_LENGTH_MIN} characters, but ${path} holds ${secret.length}`,
  )
}
