import { BrokerError } from '@tandemmq/base'

/** One `key=value` of a file, and the line on which it begins. */
export interface Property {
  readonly name: string
  readonly value: string
  readonly line: number
}

/**
 * Parses the format of java.util.Properties: comments with `#` or `!`, `=` or `:` between key and value, a line that ends in a
 * backslash goes on in the next, escapes `\t \n \r \f \uXXXX`. Two differences: the file is UTF-8, and a line without a
 * separator is a mistake, not a key with an empty value. Throws `CONFIG_INVALID` with `source` and the line.
 */
export function parseProperties(content: string, source: string): readonly Property[] {
  if (/[\0\uFFFD]/.test(content)) {
    throw new BrokerError('CONFIG_INVALID', `${source} is not a text file in UTF-8`)
  }
  const properties: Property[] = []
  for (const { text, line } of logicalLines(content)) {
    const parts = /^((?:[^\\=:\s]|\\.)+)\s*[=:]\s*(.*)$/s.exec(text)
    if (parts === null) {
      throw new BrokerError('CONFIG_INVALID', `${source}:${line} is not of the form key=value`)
    }
    const [, name = '', value = ''] = parts
    const where = `${source}:${line}`
    properties.push({ name: unescaped(name, where), value: unescaped(value, where).trim(), line })
  }
  return properties
}

/** Writes what {@link parseProperties} reads back; `comment` goes on top, one `#` line each. */
export function renderProperties(
  comment: readonly string[],
  values: Readonly<Record<string, string | number | boolean>>,
): string {
  const head = comment.map((line) => `# ${line}\n`).join('')
  const lines = Object.entries(values).map(
    ([name, value]) => `${escaped(name)}=${escapedValue(String(value))}\n`,
  )
  return `${head}${lines.join('')}`
}

function* logicalLines(content: string): Generator<{ readonly text: string; readonly line: number }> {
  let joined = ''
  let first = 0
  for (const [index, raw] of content.split(/\r\n|\n|\r/).entries()) {
    const text = raw.trimStart()
    if (joined === '') {
      first = index + 1
      if (text === '' || text.startsWith('#') || text.startsWith('!')) continue
    }
    const backslashes = /\\*$/.exec(text)?.[0].length ?? 0
    if (backslashes % 2 === 1) {
      joined += text.slice(0, -1)
      continue
    }
    yield { text: joined + text, line: first }
    joined = ''
  }
  if (joined !== '') yield { text: joined, line: first }
}

const escapes: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' }

function unescaped(text: string, where: string): string {
  return text.replaceAll(/\\(u[0-9A-Fa-f]{4}|.)/gs, (_all, escape: string) => {
    if (escape.length > 1) return String.fromCharCode(Number.parseInt(escape.slice(1), 16))
    if (escape === 'u') {
      throw new BrokerError('CONFIG_INVALID', `${where} has \\u without four hexadecimal digits after it`)
    }
    return escapes[escape] ?? escape
  })
}

function escaped(text: string): string {
  return text.replaceAll(/[\\=:#!\s]/g, (character) => `\\${lettered(character)}`)
}

function escapedValue(text: string): string {
  return text.replaceAll(/[\\\n\r\t\f]/g, (character) => `\\${lettered(character)}`)
}

function lettered(character: string): string {
  return Object.entries(escapes).find(([, plain]) => plain === character)?.[0] ?? character
}
