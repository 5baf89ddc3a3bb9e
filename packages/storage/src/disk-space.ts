import { systemCodeOf, type Files } from '@tandemmq/base'

/** What room there is on the disk of `path`; `undefined`: the system does not say. */
export function spaceOf(files: Files, path: string): ReturnType<Files['space']> | undefined {
  try {
    return files.space(path)
  } catch (failure) {
    if (systemCodeOf(failure) === undefined) throw failure
    return undefined
  }
}
