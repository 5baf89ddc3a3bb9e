import { BrokerError, silentLogger, silentMeter, type Address, type Files, type Logger } from '@tandemmq/base'
import type { Hello } from '@tandemmq/codec'
import {
  answerInPlain,
  HaMaster,
  HaSlave,
  type HaMember,
  type HaPorts,
  type Tail,
} from '@tandemmq/ha-protocol'
import {
  NodeClock,
  NodeNet,
  NodeRandom,
  TlsCredentials,
  TlsNet,
  type TlsFiles,
} from '@tandemmq/platform-node'
import { readPosition } from '@tandemmq/storage'
import { PeerLog } from './peer-log.ts'
import { demandSameLineage, type RangeSource } from './range-source.ts'

export interface PeerOptions {
  readonly secret?: Buffer
  /** The set's HA port speaks TLS. Without a secret the other broker's certificate must name it as a member (`haTls=mutual`). */
  readonly tls?: TlsFiles
  /** Default: what the store says, and broker id 0 for a master's, 1 for a slave's. */
  readonly identity?: string
  readonly cluster?: string
  readonly set?: string
  readonly waitMs: number
}

type Fetch = RangeSource['fetch']

/** What is worth another attempt: the master is not there yet, or not ready. */
const passing = new Set(['unreachable', 'closed', 'silence', 'not-ready', 'late-handshake'])

/**
 * The running master of a damaged slave. We come as that slave, with a log that ends where the damage begins, and leave once the range is there;
 * nothing more than that is ever reported as held.
 */
export function fromMaster(files: Files, address: Address, options: PeerOptions): RangeSource {
  const words = `the master at ${address.host}:${address.port}`
  const fetch: Fetch = async (from, to, store, take) => {
    const done = Promise.withResolvers<void>()
    const ports = peerPorts(options)
    const log = new PeerLog(store, from, to, take, done)
    const member = memberOf(files, store.root, options, 'slave')
    const slave = HaSlave.start({ ...member, masterAddress: address, flushBeforeReport: true }, ports, log)
    let trouble = 'it does not answer'
    slave.onState((state) => {
      if (state.kind !== 'disconnected' || state.trouble === undefined) return
      trouble = state.trouble.words
      if (!passing.has(state.trouble.reason)) done.reject(unavailable(words, trouble))
    })
    const timer = ports.clock.after(options.waitMs, () => done.reject(unavailable(words, trouble)))
    try {
      await done.promise
    } finally {
      timer.cancel()
      slave.close()
    }
  }
  return { words, fetch }
}

/**
 * A running slave of a damaged master, which is not running: slaves have no port, so we listen at the master's, say that the end of our log is
 * missing from the damage on, and the slave lends it (rule 3.2).
 */
export function fromSlave(files: Files, address: Address, options: PeerOptions): RangeSource {
  const words = `a slave that comes to ${address.host}:${address.port}`
  const fetch: Fetch = async (from, to, store, take) => {
    const done = Promise.withResolvers<void>()
    const log = new PeerLog(store, from, to, take, done)
    const member = memberOf(files, store.root, options, 'master')
    let tail: Tail = { kind: 'unknown' }
    let trouble = 'no slave has come'
    const logger = tellingRefusals((identity, why) => {
      trouble = `slave "${identity}" has come, and was not accepted as one of ${member.identity} (--as): ${why}`
    })
    const ports = { ...peerPorts(options), logger }
    const onHello = ({ identity, end, lineage }: Hello): void => {
      if (tail.kind === 'missing') return
      try {
        if (end < to) throw unavailable(`slave "${identity}"`, `its log ends at ${end}`)
        demandSameLineage(store, { lineage, end }, to)
        tail = { kind: 'missing', holder: identity } // It is asked to come again, and lends then.
      } catch (failure) {
        if (!(failure instanceof BrokerError)) throw failure
        trouble = `slave "${identity}" cannot help: ${failure.message}`
      }
    }
    const master = await HaMaster.listen(
      {
        ...member,
        address,
        flushRequired: false,
        inSyncReplicas: 1,
        tail: () => tail,
        onHello,
      },
      ports,
      log,
    )
    const timer = ports.clock.after(options.waitMs, () => done.reject(unavailable(words, trouble)))
    try {
      await done.promise
    } finally {
      timer.cancel()
      await master.close()
    }
  }
  return { words, fetch }
}

/** What an HA port logs of slaves that it does not accept, and of those that do not accept it. */
function tellingRefusals(refused: (identity: string, words: string) => void): Logger {
  return {
    ...silentLogger,
    warn: ({ identity, words }) => {
      if (typeof identity === 'string' && typeof words === 'string') refused(identity, words)
    },
  }
}

function memberOf(
  files: Files,
  root: string,
  { secret, tls, identity, cluster, set }: PeerOptions,
  role: 'master' | 'slave',
): HaMember {
  const name = files.exists(`${root}/position`) ? 'position' : 'position.bak'
  const position = readPosition(files, root, name)
  const ownSet = set ?? position.set
  const ownCluster = cluster ?? position.cluster
  if (ownSet === undefined || ownCluster === undefined) {
    throw new BrokerError('ILLEGAL_ARGUMENT', 'the store does not say whose it is: say --cluster and --set')
  }
  return {
    cluster: ownCluster,
    set: ownSet,
    identity: identity ?? `${ownSet}-${role === 'master' ? 0 : 1}`,
    instanceId: new NodeRandom().bytes(8).toString('hex'),
    ...(secret === undefined ? {} : { secret }),
    ...(tls !== undefined && secret === undefined && { certified: true }),
  }
}

function peerPorts({ tls }: PeerOptions): HaPorts {
  const clock = new NodeClock()
  const around = { logger: silentLogger, clock }
  return {
    net:
      tls === undefined
        ? new NodeNet()
        : new TlsNet({ credentials: TlsCredentials.read(tls, around), mutual: true, answerInPlain }),
    clock,
    random: new NodeRandom(),
    logger: silentLogger,
    meter: silentMeter,
  }
}

function unavailable(who: string, why: string): BrokerError {
  return new BrokerError('UNAVAILABLE', `${who} has not sent the bytes: ${why}`)
}
