import { explore } from './exploration.ts'
import type { ExplorerTask } from './explorers.ts'

/** A process that looks into one group of sequences after the other, as its parent tells it. */
process.on('message', (task: ExplorerTask) => {
  void explore(task.group, task.options).then((findings) => process.send?.(findings))
})
process.on('disconnect', () => process.exit())
