/** What `tandemmq up` was asked for. */
export interface UpOptions {
  /** Absolute path of the directory everything is kept in. */
  readonly data: string
  /** Wanted ports of metadata-rpc; 0: any free one. */
  readonly grpcPort: number
  readonly httpPort: number
  readonly replication: 'sync' | 'async'
  readonly flush: 'sync' | 'async'
  /** Slaves of each set, 0 to {@link SLAVES_MAX}. */
  readonly slaves: number
  /** Broker sets, 1 to {@link SETS_MAX}. */
  readonly sets: number
  readonly autoCreate: 'on' | 'off'
  /** One JSON line on standard output when ready; everything else to standard error. */
  readonly json: boolean
  /** How long one service may take to stop before it is killed. */
  readonly stopWithinMs: number
  /** Where the services' sources are; absent: those of this repository. */
  readonly servicesFrom?: string
}

export const SLAVES_MAX = 8
export const SETS_MAX = 26

/** A sentence about options that do not go together, or `undefined`. */
export function contradiction(options: UpOptions): string | undefined {
  if (options.slaves === 0 && options.replication === 'sync') {
    return 'With --replication sync every send waits for a slave, and --slaves 0 starts none: give --slaves 1 or --replication async.'
  }
  if (options.grpcPort !== 0 && options.grpcPort === options.httpPort) {
    return `--grpc-port and --http-port are both ${options.grpcPort}: give two different ports, or 0 for any free one.`
  }
  return undefined
}
