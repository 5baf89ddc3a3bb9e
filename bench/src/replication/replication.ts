import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parsedArgs, requireKnown } from '@tandemmq/testkit'
import { atBroker } from './at-broker.ts'
import { catchingUp } from './catching-up.ts'
import { throughGrpc } from './through-grpc.ts'

const BODY_BYTES = 1024

export const REPLICATION_FLAGS = '[--only broker,catchUp,grpc]'

const sections: Readonly<Record<string, (directory: string) => Promise<Record<string, unknown>>>> = {
  broker: async (directory) => ({ ...(await atBroker(directory, BODY_BYTES)) }),
  catchUp: async (directory) => ({ catchUp: await catchingUp(directory, BODY_BYTES) }),
  grpc: async () => ({ grpc: await throughGrpc(BODY_BYTES) }),
}

/** What replication costs: sync beside async, at the broker and through gRPC; how far a slave is behind; how fast an empty one catches up. */
export async function replication(flags: readonly string[]): Promise<Record<string, unknown>> {
  const { values } = parsedArgs({ args: [...flags], options: { only: { type: 'string' } } })
  const wanted = values.only?.split(',') ?? Object.keys(sections)
  requireKnown('section', wanted, Object.keys(sections))
  const directory = await mkdtemp(join(tmpdir(), 'tandemmq-bench-'))
  const figures: Record<string, unknown> = { bodyBytes: BODY_BYTES }
  try {
    for (const name of wanted) Object.assign(figures, await sections[name]?.(directory))
    return figures
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}
