import { Command } from 'commander'
import { addDoctor } from './doctor/command.ts'
import { addReplica } from './replica/command.ts'
import { addReplication } from './replication/command.ts'
import { addPromote } from './promote/command.ts'
import { addStore } from './store/command.ts'
import { addUp } from './up/command.ts'

/** Every command of `tandemmq`; each is added by one function in a file of its own. */
const commands: readonly ((program: Command) => void)[] = [
  addUp,
  addStore,
  addReplication,
  addReplica,
  addPromote,
  addDoctor,
]

export function createProgram(): Command {
  const program = new Command('tandemmq')
    .description('A message broker with master-slave replication, compatible with Apache RocketMQ.')
    .exitOverride()
    .showHelpAfterError('Run with --help to see what there is.')
  for (const add of commands) add(program)
  return program
}
