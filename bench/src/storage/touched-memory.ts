import { spawnSync } from 'node:child_process'
import { freemem } from 'node:os'

const GIB = 1024 ** 3
const GIB_MAX = 6

/**
 * Touches free memory once and gives it back, in a process of its own. A virtual machine gets a page from its host when it first touches it, which
 * costs several times what is measured here, and whoever comes first would pay for all.
 */
export function touchMemory(): void {
  const gib = Math.min(GIB_MAX, Math.floor(freemem() / GIB / 3))
  const program = `const held = []; for (let n = 0; n < ${gib}; n += 1) held.push(Buffer.allocUnsafeSlow(${GIB}).fill(1))`
  spawnSync(process.execPath, ['-e', program], { stdio: 'ignore' })
}
