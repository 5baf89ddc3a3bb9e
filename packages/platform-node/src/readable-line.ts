const levelNames: Readonly<Record<number, string>> = { 20: 'debug', 30: 'info ', 40: 'warn ', 50: 'error' }
const ownFields = new Set(['level', 'time', 'msg', 'service', 'pid', 'hostname'])

/**
 * One JSON log line as a person reads it: `14:03:07.123 warn  message  fact=value`.
 * Text that is no such line comes back as it is: nothing that a process prints is lost.
 */
export function readableLine(line: string): string {
  const record = parseRecord(line)
  if (record === undefined) return line
  const time = new Date(Number(record['time']))
  const clock = Number.isNaN(time.getTime()) ? '--:--:--.---' : clockOf(time)
  const level = levelNames[Number(record['level'])] ?? String(record['level'])
  const facts = Object.entries(record)
    .filter(([name]) => !ownFields.has(name))
    .map(([name, value]) => `${name}=${textOf(value)}`)
  const message = typeof record['msg'] === 'string' ? record['msg'] : ''
  return [clock, level, message, ...(facts.length > 0 ? ['', facts.join(' ')] : [])].join(' ')
}

function parseRecord(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value !== 'object' || value === null || !('level' in value) || !('time' in value))
      return undefined
    return { ...value }
  } catch {
    return undefined
  }
}

function clockOf(time: Date): string {
  const seconds = `${two(time.getSeconds())}.${String(time.getMilliseconds()).padStart(3, '0')}`
  return `${two(time.getHours())}:${two(time.getMinutes())}:${seconds}`
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}

function textOf(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return /[\s"]/.test(text) && typeof value === 'string' ? JSON.stringify(text) : text
}
