import { readFileSync } from 'node:fs'
import { renderReference } from '@tandemmq/platform-node'
import { expect, test } from 'vitest'
import { brokerKeys } from './broker-keys.ts'

test('the reference page says what the keys say', () => {
  const page = readFileSync(new URL('../../../docs/configuration-broker.md', import.meta.url), 'utf8')
  expect(page).toContain(renderReference(brokerKeys).trim())
})
