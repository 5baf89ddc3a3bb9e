import { SparingLogger, type Logger, type Readiness, joinAddress } from '@tandemmq/base'
import { Broker } from '@tandemmq/broker'
import { startHttpServer } from '@tandemmq/http'
import {
  DescriptorWatch,
  DirectoryLock,
  NodeClock,
  NodeFiles,
  NodeNet,
  NodeRandom,
  PinoLogger,
  PromMeter,
  readSecretFile,
  writeAddressFile,
  type ConfigurationSources,
  type ReadyFacts,
  type RunningService,
} from '@tandemmq/platform-node'
import {
  clientService,
  addForwardService,
  addMetadataService,
  BrokerCalls,
  ClientEdge,
  endpointsOf,
  GrpcMetadataClient,
  GrpcRegistryLink,
  GrpcServer,
  SetSecret,
  SetSecretGuard,
} from '@tandemmq/wire-grpc'
import { adminRoutes } from './admin-routes.ts'
import { brokerOptions, readBrokerConfiguration, type ServiceRole } from './broker-settings.ts'
import { localRoutes } from './local-routes.ts'
import { BrokerMetadata } from './broker-metadata.ts'

/** Starts one broker in the role of its service. Throws `CONFIG_INVALID`, `STORE_LOCKED`, and what the store throws. */
export async function startBroker(role: ServiceRole, sources: ConfigurationSources): Promise<RunningService> {
  const configuration = readBrokerConfiguration(role, sources)
  const { values } = configuration
  const service = `broker-${role}`
  const logger = new PinoLogger({
    service,
    level: values.logLevel,
    ...(values.logFormat === 'auto' ? {} : { format: values.logFormat }),
  })
  for (const warning of configuration.warnings) logger.warn({}, warning)

  await using opened = new AsyncDisposableStack()
  opened.use(DirectoryLock.acquire(values.storePathRootDir, { logger }))
  const clock = new NodeClock()
  /** For what anybody may cause who reaches a port. */
  const sparingly = new SparingLogger(logger, clock)
  const meter = new PromMeter({
    // As Apache's broker: the members of a set have its name in common and differ by their address.
    labels: { cluster: values.brokerClusterName, node_type: 'broker', node_id: values.brokerName },
  })
  opened.use(new DescriptorWatch({ clock, logger, meter }))
  const limits = { connectionsMax: values.grpcMaxConnections, handshakeMs: values.grpcHandshakeTimeout }
  const server = opened.use(new GrpcServer({ clock, logger, meter }, limits))
  const { port } = await server.listen({ host: values.listenAddress, port: values.grpcPort })
  const options = brokerOptions(role, configuration, port)
  const { secret } = options
  const adminToken = readSecretFile('adminTokenFile', values.adminTokenFile)?.toString()

  const random = new NodeRandom()
  // From here on health checks are answered, however long the recovery of the log takes.
  let broker: Broker | undefined
  const http = opened.adopt(
    await startHttpServer(
      { host: values.listenAddress, port: values.httpPort },
      {
        readiness: () => broker?.readiness ?? startingUp,
        metricsText: () => meter.text(),
        meter,
        routes: (app) => adminRoutes(app, () => broker, options, adminToken),
      },
    ),
    (it) => it.close(),
  )
  const httpAddress = joinAddress(values.listenAddress, http.port)
  writeAddressFile(values.httpAddressFile, httpAddress, logger)
  const word = new SetSecret(secret, options.identity, { clock, random })
  broker = opened.use(
    await Broker.open(options, {
      files: new NodeFiles(),
      net: new NodeNet({ logger: sparingly }),
      clock,
      random,
      logger,
      meter,
      ...(values.namesrvAddr === '' ? {} : { registry: new GrpcRegistryLink(values.namesrvAddr, word) }),
      metadataSource: (address) => new GrpcMetadataClient(address, word),
    }),
  )

  const calls = new BrokerCalls({ api: broker.api, clock })
  const guard = new SetSecretGuard(secret, { clock })
  const edge = new ClientEdge({
    target: calls,
    presence: calls.presence,
    catalog: localRoutes(broker, options.set),
    clock,
    logger,
    meter,
    endpoints: () => endpointsOf(options.grpcAddress),
  })
  const clients = clientService(edge, clock, (peer) =>
    server.cut(peer, 'unread', 'answers to receives are not taken'),
  )
  server.add(clients.definition, clients.implementation)
  addForwardService(server, calls, guard, { clock, logger: sparingly })
  addMetadataService(server, new BrokerMetadata(broker), guard, { logger: sparingly })
  sayHello(logger, role, broker, options.root, joinAddress(values.listenAddress, port), httpAddress)

  const closing = opened.move()
  return {
    logger,
    ready: readiness(broker).then((): ReadyFacts => ({
      service,
      grpc: joinAddress(values.listenAddress, port),
      http: httpAddress,
      ...(role === 'master' && { ha: broker.haAddress, okMeans: broker.okMeans }),
    })),
    close: async () => {
      edge.close()
      calls.close()
      await closing.disposeAsync()
    },
  }
}

const startingUp: Readiness = {
  ready: false,
  problems: [{ check: 'serving', message: 'this broker is starting: its log is being read' }],
}

function sayHello(
  logger: Logger,
  role: ServiceRole,
  broker: Broker,
  root: string,
  grpc: string,
  http: string,
): void {
  const ha = broker.haAddress
  logger.info(
    { role, grpc, http, ...(ha !== '' && { ha }), data: root, logEnd: broker.store.end },
    'broker is up',
  )
  if (role === 'master') logger.info({ okMeans: broker.okMeans }, 'what OK means')
}

/** A broker does its work when it is registered and nothing is wrong with it. */
async function readiness(broker: Broker): Promise<void> {
  const isReady = (): boolean => broker.isRegistered && broker.problems.length === 0
  if (isReady()) return
  await new Promise<void>((resolve) => {
    const stop = broker.onChange(() => {
      if (!isReady()) return
      stop()
      resolve()
    })
    if (isReady()) resolve()
  })
}
