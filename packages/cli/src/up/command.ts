import { resolve } from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { BrokerError } from '@tandemmq/base'
import { Launcher } from './launcher.ts'
import { contradiction, SETS_MAX, SLAVES_MAX, type UpOptions } from './options.ts'

/** `tandemmq up`: the whole cluster on this machine, each service its own process. */
export function addUp(program: Command): void {
  const modes = ['sync', 'async']
  program
    .command('up')
    .description('start metadata-rpc, broker-master and broker-slave on this machine; Ctrl-C stops all')
    .option('--data <dir>', 'where everything is kept between runs', './.tandemmq')
    .addOption(number('--grpc-port <n>', 'clients connect here; 0: any free port', 0, 65_535).default(8081))
    .addOption(number('--http-port <n>', 'health, metrics and administration', 0, 65_535).default(8080))
    .addOption(
      new Option('--replication <mode>', 'OK waits for a slave, or not').choices(modes).default('sync'),
    )
    .addOption(new Option('--flush <mode>', 'OK waits for the disk, or not').choices(modes).default('async'))
    .addOption(number('--slaves <n>', 'slaves of each broker set', 0, SLAVES_MAX).default(1))
    .addOption(number('--sets <n>', 'broker sets: broker-a, broker-b …', 1, SETS_MAX).default(1))
    .addOption(
      new Option('--auto-create <on|off>', 'topics and groups come to be at first use')
        .choices(['on', 'off'])
        .default('on'),
    )
    .option('--json', 'one line on standard output when ready, logs to standard error', false)
    .addOption(number('--stop-within-ms <n>', '', 1, 600_000).default(15_000).hideHelp())
    .addOption(new Option('--services-from <dir>').hideHelp())
    .allowExcessArguments(false)
    .action(async (flags: UpOptions, command: Command) => {
      const options = { ...flags, data: resolve(flags.data) }
      const why = contradiction(options)
      if (why !== undefined) command.error(why)
      process.exitCode = await up(options)
    })
}

async function up(options: UpOptions): Promise<number> {
  try {
    return await new Launcher(options).run()
  } catch (failure) {
    if (!(failure instanceof BrokerError)) throw failure
    process.stderr.write(`${failure.message}\n`)
    return 1
  }
}

function number(flags: string, description: string, min: number, max: number): Option {
  return new Option(flags, description).argParser((given) => {
    const value = /^\d{1,9}$/.test(given) ? Number(given) : Number.NaN
    if (!(value >= min && value <= max))
      throw new InvalidArgumentError(`It must be an integer from ${min} to ${max}.`)
    return value
  })
}
