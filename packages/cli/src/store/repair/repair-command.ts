import { createInterface } from 'node:readline/promises'
import { resolve } from 'node:path'
import { BrokerError, silentLogger, splitAddress } from '@tandemmq/base'
import { DirectoryLock, NodeFiles, readSecretFile, type TlsFiles } from '@tandemmq/platform-node'
import type { Command } from 'commander'
import { DonorStore } from './donor-store.ts'
import { fromMaster, fromSlave, type PeerOptions } from './peer-source.ts'
import type { LogRange } from './log-damage.ts'
import type { RangeSource } from './range-source.ts'
import { repairStore, type RepairReport } from './repair-store.ts'

interface RepairFlags {
  readonly yes: boolean
  readonly json: boolean
  readonly cut: boolean
  readonly fromStore?: string
  readonly fromMaster?: string
  readonly fromSlave?: string
  readonly range?: string
  readonly secretFile?: string
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly tlsTrust?: string
  readonly as?: string
  readonly cluster?: string
  readonly set?: string
  readonly waitSeconds: string
  readonly queueFileBytes: string
}

/** Problems told before the plan; `store verify` tells all. */
const PROBLEMS_TOLD_MAX = 8

export function addRepair(store: Command, run: (task: () => Promise<number>) => Promise<void>): void {
  store
    .command('repair')
    .description('say what has to be done to a damaged store that no process has open, and do it with --yes')
    .argument('<dir>', 'storePathRootDir of the broker')
    .option('--yes', 'carry the plan out', false)
    .option('--json', 'the plan, or what was done, as one JSON object', false)
    .option('--cut', 'give up the log from the first damaged place on, where nobody has its bytes', false)
    .option(
      '--from-store <dir2>',
      'take damaged bytes of the log from the store of another broker of the set',
    )
    .option('--from-master <host:port>', 'take them from the running master, at its HA port')
    .option(
      '--from-slave <host:port>',
      'take them from a running slave of this stopped master, which comes to this HA port',
    )
    .option('--range <from-to>', 'take these bytes too: log offsets in which the two are known to differ')
    .option('--secret-file <file>', 'the setSecretFile of the set')
    .option('--tls-cert <file>', 'tlsCertPath, where the set has haTls, and so the next two')
    .option('--tls-key <file>', 'tlsKeyPath')
    .option('--tls-trust <file>', 'tlsTrustCertPath')
    .option(
      '--as <identity>',
      'which replica this store is: <brokerName>-<brokerId> (default: 0 for a master, 1 for a slave)',
    )
    .option('--cluster <name>', 'brokerClusterName, where the store does not say it')
    .option('--set <name>', 'brokerName, where the store does not say it')
    .option(
      '--queue-file-bytes <n>',
      'mappedFileSizeConsumeQueue × 20, where no queue is left that shows it',
      '6000000',
    )
    .option('--wait-seconds <n>', 'how long to wait for the other broker', '60')
    .allowExcessArguments(false)
    .action((directory: string, flags: RepairFlags) => run(() => repair(resolve(directory), flags)))
}

async function repair(root: string, flags: RepairFlags): Promise<number> {
  const files = new NodeFiles()
  if (!files.exists(`${root}/commitlog`)) {
    throw new BrokerError('ILLEGAL_ARGUMENT', `${root} is no store: it has no directory commitlog`)
  }
  const lock = DirectoryLock.acquire(root, { logger: silentLogger })
  try {
    return await repairLocked(files, root, flags)
  } finally {
    lock.release()
  }
}

async function repairLocked(files: NodeFiles, root: string, flags: RepairFlags): Promise<number> {
  const source = sourceOf(files, flags)
  const range = rangeOf(flags, source)
  const report = await repairStore(
    files,
    root,
    {
      ...(source === undefined ? {} : { source }),
      ...(range === undefined ? {} : { range }),
      cut: flags.cut,
      queueFileBytes: Number(flags.queueFileBytes),
      nowMs: Date.now(),
      confirm: () => confirmed(flags),
    },
    (plan) => flags.json || tellPlan(plan),
    (number) => flags.json || print(`doing ${number} …`),
  )
  if (flags.json) print(JSON.stringify(report))
  else tellEnd(report)
  return report.remaining.length === 0 ? 0 : 1
}

function rangeOf({ range }: RepairFlags, source: RangeSource | undefined): LogRange | undefined {
  if (range === undefined) return undefined
  const [, from, to] = /^(\d{1,15})-(\d{1,15})$/.exec(range) ?? []
  if (from === undefined || Number(from) >= Number(to) || source === undefined) {
    throw new BrokerError(
      'ILLEGAL_ARGUMENT',
      '--range is FROM-TO, log offsets, and needs --from-store, --from-master or --from-slave',
    )
  }
  return { from: Number(from), to: Number(to) }
}

function sourceOf(files: NodeFiles, flags: RepairFlags): RangeSource | undefined {
  const given = [flags.fromStore, flags.fromMaster, flags.fromSlave].filter((value) => value !== undefined)
  if (given.length > 1 || (given.length === 1 && flags.cut)) {
    throw new BrokerError(
      'ILLEGAL_ARGUMENT',
      'say one of --from-store, --from-master, --from-slave and --cut',
    )
  }
  if (flags.fromStore !== undefined) return new DonorStore(files, resolve(flags.fromStore))
  const secret =
    flags.secretFile === undefined ? undefined : readSecretFile('--secret-file', flags.secretFile)
  const tls = tlsOf(flags)
  const peer: PeerOptions = {
    ...(secret === undefined ? {} : { secret }),
    ...(tls === undefined ? {} : { tls }),
    ...(flags.as === undefined ? {} : { identity: flags.as }),
    ...(flags.cluster === undefined ? {} : { cluster: flags.cluster }),
    ...(flags.set === undefined ? {} : { set: flags.set }),
    waitMs: Number(flags.waitSeconds) * 1000,
  }
  if (flags.fromMaster !== undefined) return fromMaster(files, splitAddress(flags.fromMaster), peer)
  if (flags.fromSlave !== undefined) return fromSlave(files, splitAddress(flags.fromSlave), peer)
  return undefined
}

function tlsOf({ tlsCert: cert, tlsKey: key, tlsTrust: trust }: RepairFlags): TlsFiles | undefined {
  if (cert !== undefined && key !== undefined && trust !== undefined) return { cert, key, trust }
  if (cert === undefined && key === undefined && trust === undefined) return undefined
  throw new BrokerError('ILLEGAL_ARGUMENT', 'say all of --tls-cert, --tls-key and --tls-trust, or none')
}

async function confirmed({ yes, json }: RepairFlags): Promise<boolean> {
  if (yes) return true
  if (json || !process.stdin.isTTY) return false
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  try {
    return /^y(es)?$/i.test((await terminal.question('Carry this out? [y/N] ')).trim())
  } finally {
    terminal.close()
  }
}

function tellPlan({ problems, steps, left }: RepairReport): void {
  for (const line of problems.slice(0, PROBLEMS_TOLD_MAX)) print(`problem: ${line}`)
  if (problems.length > PROBLEMS_TOLD_MAX) print(`… and ${problems.length - PROBLEMS_TOLD_MAX} more`)
  if (steps.length === 0)
    print(left.length === 0 ? 'There is nothing to repair.' : 'Nothing can be done yet:')
  else print('To be done:')
  for (const [index, { words }] of steps.entries()) print(`  ${index + 1}. ${words}`)
  for (const line of left) print(`  not repaired: ${line}`)
}

function tellEnd({ isDone, steps, remaining }: RepairReport): void {
  if (!isDone) {
    if (steps.length > 0) print('Nothing was changed. To carry it out, say the same with --yes.')
    return
  }
  if (remaining.length === 0) print('Done; nothing is wrong any more.')
  else print(`Done; still wrong: ${remaining.length}`)
  for (const line of remaining.slice(0, PROBLEMS_TOLD_MAX)) print(`problem: ${line}`)
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
