import { until } from '@tandemmq/interop'
import { expect, test } from 'vitest'
import { clientInside } from './client-inside.ts'
import { ComposeProject } from './compose-project.ts'
import { keepComposeLogsOnFailure } from './kept-logs.test-kit.ts'
import { LATE_MAX, Load } from './load.ts'

test('compose up, clients on the host and inside, the master killed, up again, merged, down', async (context) => {
  await using project = await ComposeProject.create('base')
  keepComposeLogsOnFailure(context, project)
  await project.type('docker/make-secrets')
  await project.type('docker compose up --detach --wait')
  await using load = await Load.start(project, 'Compose', { backlog: 400 })
  await clientInside(project.network, 'metadata-rpc:8081')

  await project.type('docker compose kill broker-master')
  await Promise.all([load.consumes(20), load.refuses(2)])
  expect((await project.api.set()).serving?.identity).toBe('broker-a-1')
  await project.type('docker compose up --detach --wait')
  await load.accepts(50)
  await until('the master to serve again', async () => {
    return (await project.api.set()).serving?.identity === 'broker-a-0'
  })
  await load.stopSending()
  await load.complete()
  const { acknowledged } = load.work.ledger.totals()
  expect(acknowledged).toBeGreaterThanOrEqual(450)
})

test.for([
  ['docker-compose.async.yml', ['broker-a']],
  ['docker-compose.two-slaves.yml', ['broker-a']],
  ['docker-compose.two-sets.yml', ['broker-a', 'broker-b']],
  ['docker-compose.two-gateways.yml', ['broker-a']],
] as const)('compose with %s: up, messages, down', async ([overlay, sets], context) => {
  const files = ['docker-compose.yml', overlay]
  await using project = await ComposeProject.create(overlay.replaceAll(/\W/g, '-'), files)
  keepComposeLogsOnFailure(context, project)
  await project.type('docker/make-secrets')
  await project.type(`docker compose -f docker-compose.yml -f ${overlay} up --detach --wait`)
  await using load = await Load.start(project, 'Overlay')
  await Promise.all([load.accepts(50), load.consumes(50)])
  await load.stopSending()
  await load.complete()
  expect(load.refusals).toEqual([])
  expect(load.late.length, String(load.late)).toBeLessThanOrEqual(LATE_MAX)
  expect((await project.api.state()).sets.map(({ name }) => name)).toEqual(sets)
})
