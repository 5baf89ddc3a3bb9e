import type { ClusterDescription } from '@tandemmq/http'
import type { Command } from 'commander'
import { adminOptions, printLine, toldInWords, type AdminFlags } from '../admin-command.ts'
import { AdminApi } from '../admin-api.ts'
import { diagnosisOf, diagnosisText } from './diagnosis.ts'

/** `tandemmq doctor`: what is wrong with the cluster, and what an operator can do about it (rule 6.3). */
export function addDoctor(program: Command): void {
  const doctor = program
    .command('doctor')
    .description('what is wrong with the cluster, and the way out; exit code 1 if anything is')
  adminOptions(doctor, 'metadata-rpc').action((flags: AdminFlags) => toldInWords(() => examine(flags)))
}

async function examine(flags: AdminFlags): Promise<void> {
  const cluster = await AdminApi.find(flags).ask<ClusterDescription>('/api/v1/cluster')
  const diagnosis = diagnosisOf(cluster)
  if (flags.json) printLine(JSON.stringify(diagnosis))
  else for (const line of diagnosisText(cluster, diagnosis)) printLine(line)
  if (diagnosis.complaints.length > 0) process.exitCode = 1
}
