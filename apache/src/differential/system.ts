/** Keys of a broker's configuration that all systems know by the same names. */
export type Keys = Readonly<Record<string, string | number | boolean>>

export interface StartOptions {
  readonly keys?: Keys
  /** Environment variables of the process. */
  readonly environment?: Readonly<Record<string, string>>
}

export interface SlaveOptions extends StartOptions {
  /** Where it looks for its master's HA port, `host:port`. Default: where that is. */
  readonly masterAt?: string
}

/** A message as it is sent, and as a client reads it. */
export interface Message {
  readonly body: string
  readonly properties?: Readonly<Record<string, string>>
}

/** What clients ask of a broker. A topic has one queue and comes to be at its first use. */
export interface Served {
  /** Resolves once the broker has said OK. Rejects with what it said instead. */
  send(topic: string, message: Message): Promise<void>
  /** All that a client can read of a topic, in the order of its queue. */
  read(topic: string): Promise<readonly Message[]>
  /** A consumer group takes the next `count` messages and acknowledges them: their bodies. */
  consume(group: string, topic: string, count: number): Promise<readonly string[]>
  /** The bodies of all that a consumer group is given next: what it has not acknowledged, as far as is known there. */
  next(group: string, topic: string): Promise<readonly string[]>
}

/** One running broker. */
export interface Broker extends Served {
  /** `host:port` */
  readonly haAddress: string
  /** Resolves when its process is gone. */
  readonly exit: Promise<unknown>
  /** An orderly stop. */
  stop(): Promise<void>
  /** SIGKILL */
  kill(): Promise<void>
  /** Warnings and errors that it has logged. */
  complaints(): readonly string[]
}

/** A master and its slave as clients see them: one address, or one name of a set. */
export interface Pair extends Served {
  /** SIGKILL for the master. From here on the slave is what is asked. */
  killMaster(): Promise<void>
}

/** One broker set of a kind, for one scenario: a master and a slave, each with a store that outlives its process. */
export interface System {
  /** Where the scenario may put what it needs. */
  readonly directory: string
  readonly masterStore: string
  readonly slaveStore: string
  /** Resolves when it is up; a second start goes on with the store. */
  startMaster(options?: StartOptions): Promise<Broker>
  startSlave(master: Broker, options?: SlaveOptions): Promise<Broker>
  /** Both, as a cluster that fails over; topic and group are known on either side. */
  startPair(topic: string, group: string): Promise<Pair>
}
