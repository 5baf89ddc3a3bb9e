/**
 * Apache names index files by the local time of their creation, `yyyyMMddHHmmssSSS`, and takes the order of the names
 * for the order of the files. So a name is never below the one before, whatever the clock does, and no name comes twice.
 */
export function indexFileName(nowMs: number, previous: string | undefined): string {
  const name = localTime(new Date(nowMs))
  return previous === undefined || name > previous ? name : String(BigInt(previous) + 1n)
}

export function isIndexFileName(name: string): boolean {
  return /^\d{17}$/.test(name)
}

function localTime(date: Date): string {
  return (
    digits(date.getFullYear(), 4) +
    digits(date.getMonth() + 1, 2) +
    digits(date.getDate(), 2) +
    digits(date.getHours(), 2) +
    digits(date.getMinutes(), 2) +
    digits(date.getSeconds(), 2) +
    digits(date.getMilliseconds(), 3)
  )
}

function digits(value: number, count: number): string {
  return String(value).padStart(count, '0')
}
