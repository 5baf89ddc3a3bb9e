import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf } from '@tandemmq/base'
import { Ext4Image, PowerSwitch, unmount } from '@tandemmq/crash'
import { Network } from './network.ts'

const IMAGE_BYTES = 16 * 1024 * 1024

/** Tries everything that rounds need of this machine, in `directory`. Throws with what is missing. */
export function requireAll(directory: string): void {
  if (process.getuid?.() !== 0) throw new Error('only root may cut networks and power')
  const trial = join(directory, 'trial')
  mkdirSync(trial)
  try {
    attempt('network namespaces (iproute2)', () => Network.make(['one'])[Symbol.dispose]())
    attempt('a C compiler (gcc, libc6-dev)', () => new PowerSwitch(trial))
    attempt('an ext4 in a loop device (e2fsprogs, mount)', () => {
      const at = join(trial, 'at')
      mkdirSync(at)
      Ext4Image.make(join(trial, 'image'), IMAGE_BYTES).mount(at)
      unmount(at)
    })
  } finally {
    rmSync(trial, { recursive: true, force: true })
  }
}

function attempt(what: string, work: () => void): void {
  try {
    work()
  } catch (failure) {
    throw new Error(`missing here: ${what}: ${messageOf(failure)}`, { cause: failure })
  }
}
