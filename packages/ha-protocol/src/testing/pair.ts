import { silentMeter } from '@tandemmq/base'
import type { Clock, Meter } from '@tandemmq/base'
import { RecordingLogger, SeededRandom, SimulatedClock, SimulatedNet } from '@tandemmq/testkit'
import { HaMaster } from '../ha-master.ts'
import type { HaMasterOptions } from '../ha-master.ts'
import { HaSlave } from '../ha-slave.ts'
import type { HaSlaveOptions } from '../ha-slave-options.ts'
import { MemoryLog, lineageOf } from './memory-log.ts'
import { TappedNet, type Tap } from './tapped-net.ts'

export const HA_PORT = 10912
export const SECRET = Buffer.from('a secret of the whole set')

/** A master and its slaves on a simulated network. */
export class Pair {
  readonly clock = new SimulatedClock()
  readonly random: SeededRandom
  readonly net: SimulatedNet
  readonly masterLogger = new RecordingLogger()
  readonly slaveLogger = new RecordingLogger()
  readonly masterLog: MemoryLog
  /** Of masters that listen from now on. */
  masterMeter: Meter = silentMeter
  /** Of slaves that are started from now on. */
  slaveClock: Clock = this.clock
  /** On the connections of slaves that are started from now on. */
  tap: Tap | undefined

  /** @param net decides how long packets take, and into which pieces they fall */
  constructor(
    seed = 1,
    log: ConstructorParameters<typeof MemoryLog>[1] = { lineage: lineageOf({ 1: 0 }) },
    net?: SeededRandom,
  ) {
    this.random = new SeededRandom(seed)
    this.net = new SimulatedNet({ clock: this.clock, random: net ?? this.random })
    this.masterLog = new MemoryLog(this.clock, log)
  }

  listen(
    options: Partial<HaMasterOptions> = {},
    log: MemoryLog = this.masterLog,
    withSecret = true,
  ): Promise<HaMaster> {
    const defaults: HaMasterOptions = {
      address: { host: '0.0.0.0', port: HA_PORT },
      cluster: 'DefaultCluster',
      set: 'broker-a',
      identity: 'master',
      instanceId: 'm-1',
      ...(withSecret ? { secret: SECRET } : {}),
      flushRequired: false,
      inSyncReplicas: 2,
    }
    const ports = { ...this.#ports('m', this.clock, this.masterLogger), meter: this.masterMeter }
    return HaMaster.listen({ ...defaults, ...options }, ports, log)
  }

  follow(log: MemoryLog, options: Partial<HaSlaveOptions> = {}, host = 's', withSecret = true): HaSlave {
    const defaults: HaSlaveOptions = {
      masterAddress: { host: 'm', port: HA_PORT },
      cluster: 'DefaultCluster',
      set: 'broker-a',
      identity: 'slave-1',
      instanceId: 's-1',
      ...(withSecret ? { secret: SECRET } : {}),
    }
    const ports = this.#ports(host, this.slaveClock, this.slaveLogger)
    const net = this.tap === undefined ? ports.net : new TappedNet(ports.net, this.tap, this.clock)
    return HaSlave.start({ ...defaults, ...options }, { ...ports, net }, log)
  }

  emptyLog(): MemoryLog {
    return new MemoryLog(this.clock, { segmentBytes: this.masterLog.segmentBytes })
  }

  #ports(host: string, clock: Clock, logger: RecordingLogger) {
    return { net: this.net.host(host).attach(), clock, random: this.random, logger, meter: silentMeter }
  }
}

/** What an operator was told about hang-ups, as `reason: words`. */
export function complaints(logger: RecordingLogger): string[] {
  return logger.lines
    .filter((line) => line.facts['reason'] !== undefined)
    .map((line) => `${line.facts['reason']}: ${line.facts['words']}`)
}
