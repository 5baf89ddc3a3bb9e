import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'vitest'
import type { ContainerCluster } from './container-cluster.ts'

const DIRECTORY = join(import.meta.dirname, '../../node_modules/.cache/container-logs')

/** If this test fails, what the cluster's containers have printed goes to files, and where they are is printed. */
export function keepLogsOnFailure({ onTestFailed, task }: TestContext, cluster: ContainerCluster): void {
  onTestFailed(() => {
    const directory = join(DIRECTORY, task.fullName.replaceAll(/[^\w]+/g, '-').slice(-120))
    mkdirSync(directory, { recursive: true })
    for (const { name } of cluster.plans) {
      const lines = cluster.lines.having(`${name} | `).map((line) => line.slice(name.length + 3))
      writeFileSync(join(directory, `${name}.log`), `${lines.join('\n')}\n`)
    }
    process.stdout.write(`the containers' logs: ${directory}\n`)
  })
}
