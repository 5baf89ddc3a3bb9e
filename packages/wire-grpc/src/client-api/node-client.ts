/** Says `HTTP`, because Apache's proxy accepts only the names of its own enum. */
const NODE_LANGUAGES: ReadonlySet<string> = new Set(['HTTP', 'NODE_JS'])
const LAST_WITH_SECONDS_BUG: readonly number[] = [1, 0, 8]

/** The official client for Node.js. */
export function isNode(client: { readonly language: string }): boolean {
  return NODE_LANGUAGES.has(client.language)
}

/** The official client for Node.js in a version that reads whole seconds of a back-off as milliseconds. */
export function isNodeUpTo108(client: {
  readonly language: string
  readonly clientVersion: string
}): boolean {
  if (!isNode(client)) return false
  const version = client.clientVersion.split('.').map((part) => Number.parseInt(part, 10))
  for (const [index, limit] of LAST_WITH_SECONDS_BUG.entries()) {
    const part = version[index] ?? 0
    if (Number.isNaN(part)) return false
    if (part !== limit) return part < limit
  }
  return true
}
