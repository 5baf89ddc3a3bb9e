import { silentLogger, silentMeter, type Net } from '@tandemmq/base'
import { Broker } from '@tandemmq/broker'
import {
  NodeClock,
  NodeFiles,
  NodeNet,
  NodeRandom,
  TlsCredentials,
  TlsNet,
  type TlsFiles,
} from '@tandemmq/platform-node'
import { memberOptions, type MemberRequest } from './member-options.ts'
import type { MemberAnswer, MemberCommand } from './member.ts'
import { sendMany } from './send-many.ts'

/** A broker in a process of its own, told by its parent what to do: member-child.ts REQUEST-AS-JSON */
const request: MemberRequest = JSON.parse(process.argv[2] ?? '{}')
const clock = new NodeClock()
const ports = {
  files: new NodeFiles(),
  net: netOf(request.tls),
  clock,
  random: new NodeRandom(),
  logger: silentLogger,
  meter: silentMeter,
  metadataSource: () => ({
    pull: () => Promise.reject(new Error('nothing to be had')),
    watch: () => Promise.reject(new Error('nothing to be had')),
    handBack: () => Promise.resolve(),
  }),
}
const began = performance.now()
const broker = await Broker.open(memberOptions(request), ports)

process.on('message', (command: MemberCommand) => void answer(command))
tell({ kind: 'up', ha: broker.haAddress, end: broker.store.end })

async function answer(command: MemberCommand): Promise<void> {
  switch (command.kind) {
    case 'send':
      return tell({ kind: 'sent', ...(await sendMany(broker, command)), end: broker.store.end })
    case 'cpu': {
      const { user, system } = process.cpuUsage()
      return tell({ kind: 'cpu', us: user + system })
    }
    case 'reach': {
      const { store } = broker
      // A log that begins anew has new frontiers; the first bytes are awaited by looking.
      await store.written.reached(command.end)
      const writtenMs = performance.now() - began
      await store.dispatched.reached(command.end)
      return tell({ kind: 'reached', writtenMs, dispatchedMs: performance.now() - began })
    }
    case 'replicas': {
      const { role } = broker
      const isInSync = role.kind === 'master' && role.slaves().some(({ state }) => state === 'in sync')
      return tell({ kind: 'replicas', isInSync })
    }
    case 'stop':
      await broker.close()
      process.exit(0)
  }
}

function netOf(tls: TlsFiles | undefined): Net {
  if (tls === undefined) return new NodeNet()
  return new TlsNet({ credentials: TlsCredentials.read(tls, { logger: silentLogger, clock }), mutual: true })
}

function tell(words: MemberAnswer): void {
  process.send?.(words)
}
