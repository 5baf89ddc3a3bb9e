import { readFileSync, readdirSync, readlinkSync } from 'node:fs'

/** Who listens on a TCP port of this machine, as a person would say it, or `undefined` where the system does not tell. */
export function portHolder(port: number): string | undefined {
  const inodes = new Set(['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) => listeningInodes(table, port)))
  if (inodes.size === 0) return undefined
  for (const pid of entriesOf('/proc').filter((name) => /^\d+$/.test(name))) {
    const directory = `/proc/${pid}/fd`
    for (const descriptor of entriesOf(directory)) {
      const inode = /^socket:\[(\d+)\]$/.exec(linkOf(`${directory}/${descriptor}`))?.[1]
      if (inode !== undefined && inodes.has(inode)) return `${commandOf(pid)} (process ${pid})`
    }
  }
  return undefined
}

/** A row is `sl local_address rem_address st … inode`, numbers in hexadecimal; state 0A listens. */
function listeningInodes(table: string, port: number): readonly string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  return textOf(table)
    .split('\n')
    .map((row) => row.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(suffix) === true && fields[3] === '0A')
    .map((fields) => fields[9] ?? '')
}

function commandOf(pid: string): string {
  const words = textOf(`/proc/${pid}/cmdline`).split('\0').filter(Boolean)
  const text = words.join(' ')
  if (text === '') return textOf(`/proc/${pid}/comm`).trim()
  return text.length > 80 ? `${text.slice(0, 79)}…` : text
}

/** Processes come and go, and those of others are closed to us: what cannot be read is not there. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

function entriesOf(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}
