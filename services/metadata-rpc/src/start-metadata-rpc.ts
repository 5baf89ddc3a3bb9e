import { resolve } from 'node:path'
import { joinAddress, silentMeter, SparingLogger } from '@tandemmq/base'
import { startHttpServer } from '@tandemmq/http'
import {
  DescriptorWatch,
  DirectoryLock,
  isLoopback,
  missingTlsFile,
  NodeClock,
  NodeFiles,
  NodeRandom,
  PinoLogger,
  PromMeter,
  readConfiguration,
  readSecretFile,
  serviceTls,
  TlsCredentials,
  tlsFilesOf,
  writeAddressFile,
  type ConfigurationSources,
  type RunningService,
} from '@tandemmq/platform-node'
import { Registry, RegistryRelay, SetRecordsFile } from '@tandemmq/registry'
import {
  clientService,
  addRegistryService,
  ClientEdge,
  ForwardChannels,
  Gateway,
  GrpcMetadataClient,
  GrpcRegistryLink,
  GrpcServer,
  SetSecret,
  SetSecretGuard,
} from '@tandemmq/wire-grpc'
import { adminRoutes } from './admin-routes.ts'
import { observeCluster } from './cluster-metrics.ts'
import { asGrantor, asRelay, type ClusterRegistry } from './cluster-registry.ts'
import { ClusterState } from './cluster-state.ts'
import { ClusterTopics } from './cluster-topics.ts'
import { listenWhenHeard } from './listen-when-heard.ts'
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
  const missing = values.grpcTls === 'off' ? undefined : missingTlsFile(values)
  if (missing !== undefined) throw configuration.refusal(missing, 'a file (PEM) with grpcTls')
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
  const credentials =
    values.grpcTls === 'off' ? undefined : TlsCredentials.read(tlsFilesOf(values), { logger, clock })
  const tls = serviceTls(values.grpcTls, credentials, values.grpcHandshakeTimeout)
  const word = new SetSecret(secret, IDENTITY, { clock, random, tls: tls.calls })

  const expectedSets = values.brokerSets.split(',').flatMap((set) => set.trim() || [])
  const cluster = values.clusterName
  const grantor = values.grantorAddress
  const keep = (): ClusterRegistry => {
    const records = SetRecordsFile.open(new NodeFiles(), root, logger)
    const kept = new Registry({ cluster, only: expectedSets }, { clock, logger, records })
    opened.defer(() => kept.close())
    return asGrantor(kept)
  }
  const follow = (): ClusterRegistry => {
    const link = new GrpcRegistryLink(grantor, word)
    const relay = RegistryRelay.start({ cluster, identity: IDENTITY }, { clock, random, logger }, link)
    opened.defer(() => relay.close())
    return asRelay(relay, grantor)
  }
  const registry = grantor === '' ? keep() : follow()
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
      { clock, logger, meter, tls: tls.port },
      { connectionsMax: values.grpcMaxConnections, handshakeMs: values.grpcHandshakeTimeout },
    ),
  )
  const clients = clientService(edge, clock, (peer) =>
    server.cut(peer, 'unread', 'answers to receives are not taken'),
  )
  server.add(clients.definition, clients.implementation)
  addRegistryService(server, registry.link, new SetSecretGuard(secret, { clock }), {
    clock,
    logger: new SparingLogger(logger, clock),
    passages: { view: registry.view, secret: word },
  })
  const wanted = { host: values.listenAddress, port: values.grpcPort }
  const listening =
    grantor === ''
      ? Promise.resolve(await server.listen(wanted))
      : listenWhenHeard(server, wanted, registry.heard, { clock, logger })

  const state = new ClusterState(registry, copies, topics, expectedSets)
  observeCluster(meter, state)
  const http = opened.adopt(
    await startHttpServer(
      { host: values.listenAddress, port: values.httpPort },
      {
        readiness: () => state.readiness(),
        metricsText: () => meter.text(),
        meter,
        routes: (app) => adminRoutes(app, state, adminToken),
      },
    ),
    (it) => it.close(),
  )
  const httpAddress = joinAddress(values.listenAddress, http.port)
  writeAddressFile(values.httpAddressFile, httpAddress, logger)
  const ready = listening.then(({ host, port }) => {
    const grpc = joinAddress(host, port)
    const facts = { cluster, ...(grantor !== '' && { grantor }), grpc, http: httpAddress, data: root }
    logger.info(facts, 'metadata-rpc is up')
    return { service: IDENTITY, grpc, http: httpAddress }
  })

  const closing = opened.move()
  return {
    logger,
    ready,
    close: async () => {
      // Before the server hangs up on the brokers, one after the other: it would give the tokens of those who left to those who have not yet.
      registry.retire()
      gateway.drain()
      edge.close()
      await server.close(AbortSignal.timeout(DRAIN_WITHIN_MS))
      await closing.disposeAsync()
    },
  }
}
