import type { Files } from '@tandemmq/base'
import type { SavedFiles } from './saved-files.ts'

/** Queues that we do not build (light message queues of Apache's) go back to their place as they were. */
export async function putBackForeignQueues(files: Files, root: string, saved: SavedFiles): Promise<void> {
  const from = `${root}/${saved.directory}/consumequeue`
  for (const topic of files.list(from)) {
    if (!topic.startsWith('%LMQ%') || files.exists(`${root}/consumequeue/${topic}`)) continue
    files.rename(`${from}/${topic}`, `${root}/consumequeue/${topic}`)
  }
  await files.syncDirectory(`${root}/consumequeue`)
}
