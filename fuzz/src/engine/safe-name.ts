/** Whether a name is safe as a name of a file, in a log and on a terminal: said here once more, not taken from what is tested. */
export function isSafeName(name: string): boolean {
  return /^[%|a-zA-Z0-9_-]{1,255}$/.test(name)
}
