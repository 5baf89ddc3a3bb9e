/** One source file of a package. */
export interface SourceFile {
  /** Relative to the repository, with `/`. */
  readonly path: string
  readonly content: string
}

/** Tests, and what only tests use: `x.test.ts`, `x.test-kit.ts`, anything below `testing/`, `stand-in/` or `test/`. */
export function isTestCode(path: string): boolean {
  return /\.test[.-]/.test(path) || /\/(?:testing|stand-in|test)\//.test(path)
}

/** Written by ts-proto, not by people. */
export function isGenerated(path: string): boolean {
  return path.includes('/gen/')
}

/** The modules a file imports or re-exports from, statically or not. */
export function importsOf({ content }: SourceFile): readonly string[] {
  const statement =
    /^[ \t]*(?:import|export)\s[^'";]*?from\s*['"]([^'"]+)['"]|^[ \t]*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm
  return [...withoutComments(content).matchAll(statement)].map(
    (match) => match[1] ?? match[2] ?? match[3] ?? '',
  )
}

/** The content without comments; what looks like one inside a string goes too, which does no harm here. */
export function withoutComments(content: string): string {
  return content.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|\s)\/\/.*$/gm, '$1')
}

/** The package of a module name: `@a/b/c` is `@a/b`, `x/y` is `x`. */
export function packageOf(module: string): string {
  return module
    .split('/')
    .slice(0, module.startsWith('@') ? 2 : 1)
    .join('/')
}
