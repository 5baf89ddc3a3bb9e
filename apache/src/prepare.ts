import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { CACHE, CLASSES, LIB, RUNS, once, packageFile } from './cache.ts'
import { javaTool, runTool } from './java-tools.ts'

/** Before all tests: Apache's jars are there (fetched once, about 104 MB), and our Java programs are compiled against them. */
export function setup(): void {
  javaTool('java')
  fetchJars()
  compilePrograms('classes', packageFile('java'), CLASSES)
  process.stdout.write(`Apache's jars and our Java programs are in ${CACHE}\n`)
  rmSync(RUNS, { recursive: true, force: true })
}

/** Makes sure that Apache's jars are in `LIB`. Throws `ToolMissing` without Maven. */
export function fetchJars(): void {
  const pom = packageFile('pom.xml')
  once('lib', [pom], () => {
    const mvn = javaTool('mvn')
    process.stderr.write(`fetching Apache RocketMQ into ${LIB}\n`)
    rmSync(LIB, { recursive: true, force: true })
    runTool(mvn, [
      '--batch-mode',
      '--quiet',
      '--file',
      pom,
      'dependency:copy-dependencies',
      '-DincludeScope=runtime',
      `-DoutputDirectory=${LIB}`,
    ])
  })
}

/** Compiles all Java programs of a directory into `target`, against Apache's jars. `name`: under which the cache knows them. */
export function compilePrograms(name: string, directory: string, target: string): void {
  const sources = readdirSync(directory).map((file) => join(directory, file))
  once(name, [packageFile('pom.xml'), ...sources], () => {
    rmSync(target, { recursive: true, force: true })
    runTool(javaTool('javac'), ['-Werror', '-cp', `${LIB}/*`, '-d', target, ...sources])
  })
}
