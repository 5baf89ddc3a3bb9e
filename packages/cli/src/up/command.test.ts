import { CommanderError } from 'commander'
import { expect, test } from 'vitest'
import { createProgram } from '../program.ts'

/** What is said about a wrong way of asking; nothing is started. */
async function refusal(...args: readonly string[]): Promise<string> {
  const said: string[] = []
  const program = createProgram()
  for (const command of [program, ...program.commands]) {
    command.configureOutput({ writeErr: (text) => said.push(text), writeOut: () => undefined })
  }
  await expect(program.parseAsync(['node', 'tandemmq', ...args])).rejects.toBeInstanceOf(CommanderError)
  return said.join('')
}

test('wrong flags are refused with a sentence', async () => {
  expect(await refusal('up', '--slaves', '0')).toContain('give --slaves 1 or --replication async')
  expect(await refusal('up', '--slaves', '9')).toContain('It must be an integer from 0 to 8.')
  expect(await refusal('up', '--sets', 'many')).toContain('It must be an integer from 1 to 26.')
  expect(await refusal('up', '--replication', 'maybe')).toContain('Allowed choices are sync, async.')
  expect(await refusal('up', '--grpc-prot', '1')).toContain('Did you mean --grpc-port?')
  expect(await refusal('up', '--grpc-port', '7', '--http-port', '7')).toContain('are both 7')
  expect(await refusal('up', 'now')).toContain('too many arguments')
  expect(await refusal('down')).toContain("unknown command 'down'")
})
