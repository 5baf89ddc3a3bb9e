/** An error as node:fs and node:net throw it. */
export function systemError(code: string, call: string, what: string): Error {
  return Object.assign(new Error(`${code}: ${call} '${what}'`), { code, syscall: call })
}
