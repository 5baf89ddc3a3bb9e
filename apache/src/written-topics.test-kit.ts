import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Apache serves only topics that stand in its configuration: writes them there, of a store that a store of ours alone has written. */
export function writeTopics(
  root: string,
  topics: readonly string[],
  attributes: Readonly<Record<string, string>> = {},
): void {
  const table = topics.map((topicName) => [
    topicName,
    { topicName, readQueueNums: 8, writeQueueNums: 8, perm: 6, attributes },
  ])
  mkdirSync(join(root, 'config'), { recursive: true })
  const document = {
    topicConfigTable: Object.fromEntries(table),
    dataVersion: { counter: 1, timestamp: 1, stateVersion: 0 },
  }
  writeFileSync(join(root, 'config', 'topics.json'), JSON.stringify(document))
}
