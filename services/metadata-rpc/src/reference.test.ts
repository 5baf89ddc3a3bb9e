import { readFileSync } from 'node:fs'
import { renderReference } from '@tandemmq/platform-node'
import { expect, test } from 'vitest'
import { metadataRpcKeys } from './metadata-rpc-keys.ts'

test('the reference page says what the keys say', () => {
  const page = readFileSync(new URL('../../../docs/configuration-metadata-rpc.md', import.meta.url), 'utf8')
  expect(page).toContain(renderReference(metadataRpcKeys).trim())
})
