import { BrokerError, messageOf, type Logger } from '@tandemmq/base'
import type { ConfigurationSources } from './configuration/configuration.ts'
import { LauncherChannel, type ReadyFacts } from './launcher-channel.ts'

/** A service that has been started. */
export interface RunningService {
  readonly logger: Logger
  /** Resolves when it does its work, with what to tell a launcher. */
  readonly ready: Promise<ReadyFacts>
  /** Stops accepting, finishes what is in flight, brings everything to disk. */
  close(): Promise<void>
}

/** A stop that takes longer than this is given up. */
const CLOSE_WITHIN_MS = 10_000
const EXIT = { stopped: 0, failed: 1, misconfigured: 2 } as const

/**
 * The life of a service process: start, tell the launcher, wait for SIGTERM, Ctrl-C or the launcher's end, stop. What is wrong with a
 * configuration is one sentence on standard error and exit code 2; a second Ctrl-C ends the process at once.
 */
export async function runService(
  start: (sources: ConfigurationSources) => Promise<RunningService>,
): Promise<void> {
  const stopping = Promise.withResolvers<string>()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopping.resolve(signal))
  const channel = LauncherChannel.fromEnvironment(process.env)
  channel?.onGone(() => stopping.resolve('the end of its launcher'))

  let service: RunningService
  try {
    service = await start({ arguments: process.argv.slice(2), environment: process.env })
  } catch (failure) {
    process.stderr.write(`${failure instanceof BrokerError ? failure.message : describe(failure)}\n`)
    process.exit(
      failure instanceof BrokerError && failure.code === 'CONFIG_INVALID' ? EXIT.misconfigured : EXIT.failed,
    )
  }
  const { logger } = service
  process.on('unhandledRejection', (reason) => die(logger, reason))
  process.on('uncaughtException', (reason) => die(logger, reason))
  service.ready.then(
    (facts) => channel?.ready(facts, logger),
    (reason: unknown) => logger.warn({ why: messageOf(reason) }, 'this service did not become ready'),
  )

  const why = await stopping.promise
  logger.info({ by: why }, 'stopping')
  const patience = setTimeout(() => {
    logger.error({ afterMs: CLOSE_WITHIN_MS }, 'the stop takes too long: giving up')
    process.exit(EXIT.failed)
  }, CLOSE_WITHIN_MS)
  await service.close()
  clearTimeout(patience)
  logger.info({}, 'stopped')
  process.exit(EXIT.stopped)
}

/** A fault of the program itself: a crash is recoverable, going on with a wrong state is not. */
function die(logger: Logger, reason: unknown): never {
  logger.error({ why: describe(reason) }, 'a fault in the program itself: this process ends')
  process.exit(EXIT.failed)
}

function describe(reason: unknown): string {
  return reason instanceof Error ? (reason.stack ?? reason.message) : String(reason)
}
