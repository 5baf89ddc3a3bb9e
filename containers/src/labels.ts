/** Carried by every container, network and volume of these tests, so that they can be found and removed; its value is the run. */
export const LABEL = 'tandemmq.container-tests'

export const RUN_VARIABLE = 'CONTAINER_TESTS_RUN'

/** The process id of the process that cleans up after this run. */
export const run: string = process.env[RUN_VARIABLE] ?? String(process.pid)

export const labels: Readonly<Record<string, string>> = { [LABEL]: run }

/** What compose makes carries its own label, with the project as value. */
export const PROJECT_LABEL = 'com.docker.compose.project'

/** Names of projects of these tests, and of which run. */
export const PROJECT = /^tandemmq-test-(\d+)-/

export function projectName(of: string): string {
  return `tandemmq-test-${run}-${of}`
}
