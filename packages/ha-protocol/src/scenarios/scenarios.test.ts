import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Scenario } from '../testing/scenario.ts'

const scripts = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.txt'))

// What stands below the commands is what happened when somebody last looked at it: `npm test -- scenarios -u` writes it anew, for a review as a diff.
test.each(scripts)('%s', async (name) => {
  const path = join(import.meta.dirname, name)
  await expect(await new Scenario().play(readFileSync(path, 'utf8'))).toMatchFileSnapshot(path)
})

test('there are scenarios', () => expect(scripts.length).toBeGreaterThan(10))
