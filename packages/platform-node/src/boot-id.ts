import { readFileSync } from 'node:fs'

/**
 * Names this start of the machine's kernel: while it is the same, what was written without a sync is still there.
 * Empty where the system does not tell (only Linux does); the caller must then assume that the machine was restarted.
 */
export function bootId(source = '/proc/sys/kernel/random/boot_id'): string {
  try {
    return readFileSync(source, 'utf8').trim()
  } catch {
    return ''
  }
}
