import { BrokerError } from '@tandemmq/base'
import type { ReplicationView } from '@tandemmq/http'
import type { Command } from 'commander'
import { adminOptions, printLine, toldInWords, type AdminFlags } from '../admin-command.ts'
import type { AdminApi } from '../admin-api.ts'
import { masters } from '../replication/masters.ts'

interface Forgotten {
  readonly set: string
  readonly forgotten: string
  readonly roster: readonly string[]
}

/** `tandemmq replica`: what a master knows of its replicas beyond their connections (rule 3.3). */
export function addReplica(program: Command): void {
  const forgetting = program
    .command('replica')
    .description('the replicas that a master remembers')
    .command('forget')
    .description(
      'a replica is gone for good: its master no longer asks what it holds, nor keeps the log for it; what only it held is given up',
    )
    .argument('<identity>', 'for instance broker-a-2')
  adminOptions(forgetting, 'the master').action((identity: string, flags: AdminFlags) =>
    toldInWords(async () => {
      const answer = await forget(identity, flags)
      printLine(flags.json ? JSON.stringify(answer) : wordsOf(answer))
    }),
  )
}

async function forget(identity: string, flags: AdminFlags): Promise<Forgotten> {
  const found = await Promise.all((await masters(flags)).apis.map(memoryOf))
  const master = found.find(({ replicas }) => replicas.includes(identity))
  if (master === undefined) {
    const remembered = found.flatMap(({ replicas }) => replicas)
    const known = remembered.toSorted().join(', ') || 'none'
    throw new BrokerError(
      'ILLEGAL_ARGUMENT',
      `no master that runs remembers ${identity}: remembered are ${known}`,
    )
  }
  const path = `/api/v1/replicas/${encodeURIComponent(identity)}/forget`
  const { roster } = await master.api.ask<Pick<Forgotten, 'roster'>>(path, {})
  return { set: master.set, forgotten: identity, roster }
}

async function memoryOf(api: AdminApi) {
  const { members } = await api.ask<ReplicationView>('/api/v1/replication')
  const replicas = members.flatMap((member) => member.replicas.map(({ identity }) => identity))
  return { api, set: members[0]?.set ?? '', replicas }
}

function wordsOf({ set, forgotten, roster }: Forgotten): string {
  const rest = roster.length === 0 ? 'no replica is remembered any more' : `remembered: ${roster.join(', ')}`
  return `${set}: ${forgotten} is forgotten; ${rest}`
}
