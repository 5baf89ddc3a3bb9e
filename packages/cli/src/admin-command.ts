import { BrokerError } from '@tandemmq/base'
import type { Command } from 'commander'
import type { WhereToAsk } from './admin-address.ts'

/** What every command knows that asks a running service. */
export interface AdminFlags extends WhereToAsk {
  readonly json: boolean
}

/**
 * The options of a command that asks a running service.
 *
 * @param asked who answers at `--url`
 */
export function adminOptions(command: Command, asked: string): Command {
  return command
    .option('--data <dir>', 'directory of the cluster, as given to `tandemmq up`', './.tandemmq')
    .option('--url <url>', `HTTP address of ${asked}, instead of what stands in --data`)
    .option('--token-file <file>', 'file with the admin token; default: that in --data')
    .option('--json', 'one JSON object', false)
    .allowExcessArguments(false)
}

/** What goes wrong is told in its sentence, with exit code 1. */
export async function toldInWords(task: () => Promise<void>): Promise<void> {
  try {
    await task()
  } catch (failure) {
    if (!(failure instanceof BrokerError)) throw failure
    process.stderr.write(`${failure.message}\n`)
    process.exitCode = 1
  }
}

export function printLine(line: string): void {
  process.stdout.write(`${line}\n`)
}
