import { closeSync, openSync } from 'node:fs'
import { expect, test } from 'vitest'
import { PinoLogger } from './pino-logger.ts'
import { readableLine } from './readable-line.ts'

test('lines are JSON with the service and the facts; levels below the configured one are not written', () => {
  const lines: string[] = []
  const logger = new PinoLogger({ service: 'broker-master', level: 'info', to: (line) => lines.push(line) })
  logger.debug({}, 'not this')
  logger.info({ port: 10912, missing: undefined }, 'listening')
  expect(lines).toHaveLength(1)
  const record: unknown = JSON.parse(lines[0] ?? '')
  expect(record).toMatchObject({ level: 30, service: 'broker-master', port: 10912, msg: 'listening' })
})

test('text is for people: clock, level, message, facts', () => {
  const lines: string[] = []
  const logger = new PinoLogger({ service: 's', format: 'text', to: (line) => lines.push(line) })
  logger.warn({ peer: '10.0.0.1:7', why: 'it said no' }, 'refused')
  expect(lines.join('')).toMatch(
    /^\d\d:\d\d:\d\d\.\d{3} warn  refused {2}peer=10\.0\.0\.1:7 why="it said no"\n$/,
  )
})

test('what is no log line stays as it is', () => {
  expect(readableLine('Segmentation fault')).toBe('Segmentation fault')
  expect(readableLine('{"level":30')).toBe('{"level":30')
  expect(readableLine('{"ready":true}')).toBe('{"ready":true}')
})

test('a reader that has gone away does not stop the process', () => {
  const closed = openSync('/dev/null', 'w')
  closeSync(closed)
  expect(() => new PinoLogger({ service: 's', to: 1, level: 'error' }).info({}, 'nothing')).not.toThrow()
})
