import { directoryOf } from '@tandemmq/base'

/** What an operator types about a damaged log. @param directory the store's `commitlog` */
export function repairHint(directory: string): string {
  const root = directoryOf(directory)
  const quoted = /^[\w./-]+$/.test(root) ? root : `'${root.replaceAll("'", String.raw`'\''`)}'`
  return `to see what can be done about it: tandemmq store repair ${quoted}`
}
