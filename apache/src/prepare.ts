import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { CACHE, CLASSES, LIB, RUNS, once, packageFile } from './cache.ts'
import { javaTool, runTool } from './java-tools.ts'

/** Before all tests: Apache's jars are there (fetched once, about 104 MB), and our Java programs are compiled against them. */
export function setup(): void {
  javaTool('java')
  fetchJars()
  compilePrograms()
  rmSync(RUNS, { recursive: true, force: true })
}

function fetchJars(): void {
  const pom = packageFile('pom.xml')
  once('lib', [pom], () => {
    const mvn = javaTool('mvn')
    process.stdout.write(`fetching Apache RocketMQ into ${LIB}\n`)
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

function compilePrograms(): void {
  const directory = packageFile('java')
  const sources = readdirSync(directory).map((name) => join(directory, name))
  once('classes', [packageFile('pom.xml'), ...sources], () => {
    rmSync(CLASSES, { recursive: true, force: true })
    runTool(javaTool('javac'), ['-Werror', '-cp', `${LIB}/*`, '-d', CLASSES, ...sources])
  })
  process.stdout.write(`Apache's jars and our Java programs are in ${CACHE}\n`)
}
