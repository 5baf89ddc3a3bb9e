import { execFileSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** A copy of a repository's tracked and new files, in which bugs may be planted. Packages find one another within it. */
export class ScratchTree implements Disposable {
  readonly directory: string

  /** @param root of a repository whose dependencies are installed */
  constructor(root: string) {
    this.directory = mkdtempSync(join(tmpdir(), 'tandemmq-planted-'))
    const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    })
    const packages = new Set<string>()
    for (const path of listed.split('\0')) {
      if (path === '' || !existsSync(join(root, path))) continue
      mkdirSync(join(this.directory, dirname(path)), { recursive: true })
      cpSync(join(root, path), join(this.directory, path), { verbatimSymlinks: true })
      if (path.endsWith('/package.json')) packages.add(dirname(path))
    }
    symlinkSync(join(root, 'node_modules'), join(this.directory, 'node_modules'))
    // Links to siblings are relative: copied, they lead to the siblings here.
    for (const name of packages) {
      const modules = join(name, 'node_modules')
      if (!existsSync(join(root, modules))) continue
      cpSync(join(root, modules), join(this.directory, modules), { recursive: true, verbatimSymlinks: true })
    }
  }

  has(path: string): boolean {
    return existsSync(join(this.directory, path))
  }

  read(path: string): string {
    return readFileSync(join(this.directory, path), 'utf8')
  }

  write(path: string, content: string): void {
    writeFileSync(join(this.directory, path), content)
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true })
  }
}
