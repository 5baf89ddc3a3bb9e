import type { Schema } from './key.ts'

/** The reference of a schema's keys as a Markdown table, for the documentation. */
export function renderReference(schema: Schema): string {
  const rows = Object.entries(schema).map(([name, key]) => {
    const initial = key.secret || key.default === '' ? '' : `\`${String(key.default)}\``
    return `| \`${name}\` | ${initial} | ${key.allowed.replaceAll('|', String.raw`\|`)} | ${key.text} |\n`
  })
  return `| Key | Default | Allowed | What it is for |\n|---|---|---|---|\n${rows.join('')}`
}
