import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'vitest'
import type { ComposeProject } from './compose-project.ts'
import type { ContainerCluster } from './container-cluster.ts'

const DIRECTORY = join(import.meta.dirname, '../logs')

/** If this test fails, what the cluster's containers have printed goes to files, and where they are is printed. */
export function keepLogsOnFailure({ onTestFailed, task }: TestContext, cluster: ContainerCluster): void {
  onTestFailed(() => {
    const directory = directoryOf(task)
    for (const { name } of cluster.plans) {
      const lines = cluster.lines.having(`${name} | `).map((line) => line.slice(name.length + 3))
      writeFileSync(join(directory, `${name}.log`), `${lines.join('\n')}\n`)
    }
  })
}

/** The same for a project of compose. Its containers are gone by then: what they said is asked for when they go. */
export function keepComposeLogsOnFailure({ onTestFailed, task }: TestContext, project: ComposeProject): void {
  onTestFailed(() => writeFileSync(join(directoryOf(task), 'compose.log'), project.said))
}

function directoryOf({ fullName }: TestContext['task']): string {
  const directory = join(DIRECTORY, fullName.replaceAll(/\W+/g, '-').slice(-120))
  mkdirSync(directory, { recursive: true })
  process.stdout.write(`the containers' logs: ${directory}\n`)
  return directory
}
