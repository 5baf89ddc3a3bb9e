import { resolve } from 'node:path'
import { joinAddress, silentMeter, SparingLogger } from '@tandemmq/base'
import { startHttpServer } from '@tandemmq/http'
import {
  DescriptorWatch,
  DirectoryLock,
  isLoopback,
  NodeClock,
  NodeFiles,
  NodeRandom,
  PinoLogger,
  PromMeter,
  readConfiguration,
  readSecretFile,
  writeAddressFile,
  type ConfigurationSources,
  type RunningService,
} from '@tandemmq/platform-node'
import { Registry, SetRecordsFile } from '@tandemmq/registry'
import {
  clientService,
  addRegistryService,
  ClientEdge,
  ForwardChannels,
  Gateway,
  GrpcMetadataClient,
  GrpcServer,
  SetSecret,
  SetSecretGuard,
} from '@tandemmq/wire-grpc'
import { adminRoutes } from './admin-routes.ts'
import { observeCluster } from './cluster-metrics.ts'
import { ClusterState } from './cluster-state.ts'
import { ClusterTopics } from './cluster-topics.ts'
import { MasterAdministration } from './master-administration.ts'
import { metadataRpcKeys } from './metadata-rpc-keys.ts'
import { SetCopies } from './set-copies.ts'

/** Our name towards brokers. */
const IDENTITY = 'metadata-rpc'
/** Calls that are under way at a stop may end within this. */
const DRAIN_WITHIN_MS = 4_000

/** Starts registry, gateway, copies and HTTP. Throws `CONFIG_INVALID`, `STORE_LOCKED`, `UNAVAILABLE` for a port that is taken. */
export async function startMetadataRpc(sources: ConfigurationSources): Promise<RunningService> {
  const configuration = readConfiguration(metadataRpcKeys, sources)
  const { values } = configuration
  if (values.setSecretFile === '' && !isLoopback(values.listenAddress)) {
    throw configuration.refusal('listenAddress', 'a loopback address as long as there is no setSecretFile')
  }
  const secret = readSecretFile('setSecretFile', values.setSecretFile)
  const adminToken = readSecretFile('adminTokenFile', values.adminTokenFile)?.toString()
  const logger = new PinoLogger({
    service: IDENTITY,
    level: values.logLevel,
    ...(values.logFormat === 'auto' ? {} : { format: values.logFormat }),
  })
  for (const warning of configuration.warnings) logger.warn({}, warning)
  const root = resolve(values.storePathRootDir)

  await using opened = new AsyncDisposableStack()
  opened.use(DirectoryLock.acquire(root, { logger }))
  const clock = new NodeClock()
  const random = new NodeRandom()
  const meter = new PromMeter({
    // What it does for clients Apache's proxy does.
    labels: { cluster: values.clusterName, node_type: 'proxy', node_id: IDENTITY },
  })
  opened.use(new DescriptorWatch({ clock, logger, meter }))
  const word = new SetSecret(secret, IDENTITY, { clock, random })

  const expectedSets = values.brokerSets.split(',').flatMap((set) => set.trim() || [])
  const records = SetRecordsFile.open(new NodeFiles(), root, logger)
  const registry = opened.adopt(
    new Registry({ cluster: values.clusterName, only: expectedSets }, { clock, logger, records }),
    (it) => it.close(),
  )
  const copies = opened.use(
    await SetCopies.open(root, registry.view, {
      files: new NodeFiles(),
      clock,
      random,
      logger,
      meter: silentMeter,
      metadataSource: (address) => new GrpcMetadataClient(address, word),
    }),
  )
  const topics = new ClusterTopics(
    copies,
    registry.view,
    new MasterAdministration(word),
    {
      create: values.autoCreateTopicEnable,
      queues: values.defaultTopicQueueNums,
    },
    clock,
  )
  const channels = opened.adopt(new ForwardChannels({}, { clock, logger, secret: word }), (it) => it.close())
  opened.defer(
    registry.view.onChange(({ members }) => {
      const others = registry.view.sets.flatMap((set) => set.members)
      channels.retain(new Set([...others, ...members].map(({ grpcAddress }) => grpcAddress)))
    }),
  )
  const gateway = opened.adopt(
    new Gateway({ view: registry.view, channels, catalog: topics, clock, logger, meter }),
    (it) => it.close(),
  )
  const edge = opened.adopt(
    new ClientEdge({ target: gateway, presence: gateway.presence, catalog: topics, clock, logger, meter }),
    (it) => it.close(),
  )
  const server = opened.use(
    new GrpcServer(
      { clock, logger, meter },
      { connectionsMax: values.grpcMaxConnections, handshakeMs: values.grpcHandshakeTimeout },
    ),
  )
  const clients = clientService(edge, clock, (peer) =>
    server.cut(peer, 'unread', 'answers to receives are not taken'),
  )
  server.add(clients.definition, clients.implementation)
  addRegistryService(server, registry, new SetSecretGuard(secret, { clock }), {
    clock,
    logger: new SparingLogger(logger, clock),
  })
  const { port } = await server.listen({ host: values.listenAddress, port: values.grpcPort })

  const cluster = new ClusterState(registry, copies, topics, expectedSets)
  observeCluster(meter, cluster)
  const http = opened.adopt(
    await startHttpServer(
      { host: values.listenAddress, port: values.httpPort },
      {
        readiness: () => cluster.readiness(),
        metricsText: () => meter.text(),
        meter,
        routes: (app) => adminRoutes(app, cluster, adminToken),
      },
    ),
    (it) => it.close(),
  )
  const grpc = joinAddress(values.listenAddress, port)
  const httpAddress = joinAddress(values.listenAddress, http.port)
  writeAddressFile(values.httpAddressFile, httpAddress, logger)
  logger.info({ cluster: values.clusterName, grpc, http: httpAddress, data: root }, 'metadata-rpc is up')

  const closing = opened.move()
  return {
    logger,
    ready: Promise.resolve({ service: IDENTITY, grpc, http: httpAddress }),
    close: async () => {
      // Before the server hangs up on the brokers, one after the other: it would give the tokens of those who left to those who have not yet.
      registry.close()
      gateway.drain()
      edge.close()
      await server.close(AbortSignal.timeout(DRAIN_WITHIN_MS))
      await closing.disposeAsync()
    },
  }
}
