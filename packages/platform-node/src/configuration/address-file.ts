import { writeFileSync } from 'node:fs'
import { messageOf, type Logger } from '@tandemmq/base'
import { readSmallFile } from '../small-file.ts'

const FILE_BYTES_MAX = 1024

/**
 * Writes down where a port of this process is, `host:port` with the host it is bound to, for a program on this machine that cannot know the
 * configuration. Nothing if no file is named. What cannot be written is told and no reason not to start: a full disk, for one. What the file says
 * already is not written again, so that a restart on a full disk loses nothing.
 */
export function writeAddressFile(path: string, address: string, logger: Logger): void {
  if (path === '' || saysAlready(path, address)) return
  try {
    writeFileSync(path, `${address}\n`)
  } catch (failure) {
    logger.warn({ file: path, why: messageOf(failure) }, 'a health check cannot learn where HTTP listens')
  }
}

function saysAlready(path: string, address: string): boolean {
  try {
    return readSmallFile(path, FILE_BYTES_MAX) === `${address}\n`
  } catch {
    return false
  }
}
