import { messageOf, SparingLogger, type Logger } from '@tandemmq/base'
import { readAppointment, writeAppointment } from '@tandemmq/broker'
import {
  DirectoryLock,
  NodeClock,
  NodeFiles,
  PinoLogger,
  type ConfigurationSources,
  type ReadyFacts,
  type RunningService,
} from '@tandemmq/platform-node'
import type { Appointment } from '@tandemmq/broker'
import { openBroker, type BrokerInRole } from './broker-in-role.ts'
import { brokerRoot, readBrokerConfiguration, type ServiceRole } from './broker-settings.ts'

/**
 * Starts one broker in the role of its service, or in the one that an operator has given it since (rule 3.5): then, and whenever another master is
 * appointed while it runs, it closes everything and begins again in its new role, in the same process and on the same ports.
 * Throws `CONFIG_INVALID`, `STORE_LOCKED`, and what the store throws.
 */
export async function startBroker(role: ServiceRole, sources: ConfigurationSources): Promise<RunningService> {
  const configuration = readBrokerConfiguration(role, sources)
  const { values } = configuration
  const logger = new PinoLogger({
    service: `broker-${role}`,
    level: values.logLevel,
    ...(values.logFormat === 'auto' ? {} : { format: values.logFormat }),
  })
  for (const warning of configuration.warnings) logger.warn({}, warning)

  await using opened = new AsyncDisposableStack()
  const root = brokerRoot(configuration)
  opened.use(DirectoryLock.acquire(values.storePathRootDir, { logger }))
  const files = new NodeFiles()
  const clock = new NodeClock()
  /** For what anybody may cause who reaches a port. */
  const sparingly = new SparingLogger(logger, clock)
  let ports = { grpc: values.grpcPort, http: values.httpPort }
  let isClosing = false
  let change: Promise<void> | undefined
  /** Whichever role it is in when it first does its work: a master that was followed while it was away never becomes ready as one. */
  const ready = Promise.withResolvers<ReadyFacts>()

  const open = async (appointment: Appointment | undefined): Promise<BrokerInRole> => {
    const inRole = await openBroker({
      role,
      configuration,
      appointment,
      ports,
      logger,
      sparingly,
      clock,
      files,
    })
    ports = inRole.ports
    void inRole.ready.then(ready.resolve)
    inRole.onAppointed((next) => {
      if (!isClosing) change = begin(next)
    })
    return inRole
  }
  /** A failure ends the process: what was begun is on disk, and the next start goes on with it. */
  const begin = async (appointment: Appointment): Promise<void> => {
    const { identity, epoch } = appointment
    logger.warn(
      { master: identity, epoch },
      'another master was appointed: beginning again in the role that follows',
    )
    await current.close()
    await writeAppointment(files, root, appointment)
    current = await open(appointment)
  }
  let current = await open(readAppointment(files, root))

  const closing = opened.move()
  return {
    logger,
    ready: ready.promise,
    close: async () => {
      isClosing = true
      await settled(change, logger)
      await current.close()
      await closing.disposeAsync()
    },
  }
}

async function settled(change: Promise<void> | undefined, logger: Logger): Promise<void> {
  try {
    await change
  } catch (failure) {
    logger.error({ why: messageOf(failure) }, 'the new role could not be taken up')
  }
}
