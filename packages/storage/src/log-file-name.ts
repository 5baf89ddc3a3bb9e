import type { LogOffset } from '@tandemmq/base'

/** Apache names log and queue files by the position of their first byte, in twenty decimal digits. */
export function logFileName(start: LogOffset): string {
  return String(start).padStart(20, '0')
}

/** The position a file name stands for; `undefined` if it is no such name. */
export function positionOfLogFile(name: string): LogOffset | undefined {
  if (!/^\d{20}$/.test(name)) return undefined
  const position = Number(name)
  return Number.isSafeInteger(position) ? position : undefined
}
