import { mkdtempSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger, type Logger } from '@tandemmq/base'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { writeAddressFile } from './address-file.ts'

let directory: string
let told: unknown[]
let logger: Logger
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'address-file-'))
  told = []
  logger = { ...silentLogger, warn: (facts) => told.push(facts) }
})
afterEach(() => rmSync(directory, { recursive: true }))

test('says where, and is written anew only for another address', () => {
  const path = join(directory, 'http-address')
  writeAddressFile(path, '0.0.0.0:8080', logger)
  expect(readFileSync(path, 'utf8')).toBe('0.0.0.0:8080\n')
  utimesSync(path, 1, 1)
  writeAddressFile(path, '0.0.0.0:8080', logger)
  expect(statSync(path).mtimeMs).toBe(1_000)
  writeAddressFile(path, '[::]:9', logger)
  expect(readFileSync(path, 'utf8')).toBe('[::]:9\n')
  expect(told).toEqual([])
})

test('what cannot be written is told, and nothing more', () => {
  const file = join(directory, 'none', 'http-address')
  writeAddressFile(file, '0.0.0.0:8080', logger)
  expect(told).toEqual([{ file, why: expect.stringContaining('ENOENT') }])
  writeAddressFile('', '0.0.0.0:8080', logger)
})
