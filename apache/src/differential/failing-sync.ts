import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '@tandemmq/interop'
import { packageFile } from '../cache.ts'
import { runTool } from '../java-tools.ts'

/** One sync of a file that goes wrong, at a moment that is chosen from outside the process. Needs a C compiler. */
export class FailingSync {
  /** For the process. */
  readonly environment: Readonly<Record<string, string>>
  readonly #when: string

  /**
   * `error`: the call fails with EIO. `cut`: the power goes, and the file is empty.
   * @param directory where the library is compiled to
   * @param path a part of the file's path
   */
  constructor(directory: string, kind: 'error' | 'cut', path: string) {
    const library = join(directory, 'failing-sync.so')
    const source = packageFile('native', 'failing-sync.c')
    if (!existsSync(library))
      runTool('cc', ['-O1', '-Wall', '-shared', '-fPIC', '-o', library, source, '-ldl'])
    this.#when = join(directory, 'fault')
    this.environment = {
      LD_PRELOAD: library,
      // Node would sync past the C library.
      UV_USE_IO_URING: '0',
      FAULT_KIND: kind,
      FAULT_PATH: path,
      FAULT_WHEN: this.#when,
    }
  }

  /** From here on the next sync goes wrong. */
  arm(): void {
    writeFileSync(this.#when, '')
  }

  /** Whether it has not happened yet. */
  get isArmed(): boolean {
    return existsSync(this.#when)
  }

  /** Resolves when it has happened. */
  async happened(): Promise<void> {
    await until('the sync that goes wrong', () => !this.isArmed)
  }
}
