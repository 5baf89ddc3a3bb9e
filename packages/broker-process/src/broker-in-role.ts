import { type Logger, type Readiness, joinAddress } from '@tandemmq/base'
import { appointedOptions, Broker } from '@tandemmq/broker'
import { startHttpServer } from '@tandemmq/http'
import {
  DescriptorWatch,
  type NodeClock,
  type NodeFiles,
  NodeRandom,
  PromMeter,
  readSecretFile,
  serviceTls,
  TlsCredentials,
  tlsFilesOf,
  writeAddressFile,
  type ReadyFacts,
} from '@tandemmq/platform-node'
import type { Appointment, BrokerPorts } from '@tandemmq/broker'
import {
  clientService,
  addForwardService,
  addMetadataService,
  BrokerCalls,
  ClientEdge,
  endpointsOf,
  GrpcHandBackAround,
  GrpcMetadataClient,
  GrpcRegistryLink,
  GrpcServer,
  SetSecret,
  SetSecretGuard,
} from '@tandemmq/wire-grpc'
import { brokerOptions, roleOptions, type BrokerConfiguration, type ServiceRole } from './broker-settings.ts'
import { haNet } from './ha-net.ts'
import { usesTls } from './security-settings.ts'
import { localRoutes } from './local-routes.ts'
import { adminRoutes } from './admin-routes.ts'
import { BrokerMetadata } from './broker-metadata.ts'

/** A broker in one role, with its ports. */
export interface BrokerInRole {
  /** What was bound, so that the next role has the same. */
  readonly ports: { readonly grpc: number; readonly http: number }
  readonly ready: Promise<ReadyFacts>
  onAppointed(listener: (appointment: Appointment) => void): void
  /** Everything of it, the clean end of its store included. */
  close(): Promise<void>
}

export interface BrokerInRoleParts {
  readonly role: ServiceRole
  readonly configuration: BrokerConfiguration
  /** What an operator has decided about the master of the set. */
  readonly appointment: Appointment | undefined
  /** 0: any free one. */
  readonly ports: { readonly grpc: number; readonly http: number }
  readonly logger: Logger
  readonly sparingly: Logger
  readonly clock: NodeClock
  readonly files: NodeFiles
}

/** Opens store, replication, ports. Throws what they throw. */
export async function openBroker(parts: BrokerInRoleParts): Promise<BrokerInRole> {
  const { configuration, appointment, logger, sparingly, clock, files } = parts
  const { values } = configuration
  await using opened = new AsyncDisposableStack()
  const meter = new PromMeter({
    // As Apache's broker: the members of a set have its name in common and differ by their address.
    labels: { cluster: values.brokerClusterName, node_type: 'broker', node_id: values.brokerName },
  })
  opened.use(new DescriptorWatch({ clock, logger, meter }))
  const limits = { connectionsMax: values.grpcMaxConnections, handshakeMs: values.grpcHandshakeTimeout }
  const credentials = usesTls(values) ? TlsCredentials.read(tlsFilesOf(values), { logger, clock }) : undefined
  const tls = serviceTls(values.grpcTls, credentials, values.grpcHandshakeTimeout)
  const server = opened.use(new GrpcServer({ clock, logger, meter, tls: tls.port }, limits))
  const { port } = await server.listen({ host: values.listenAddress, port: parts.ports.grpc })
  const configured = brokerOptions(parts.role, configuration, port)
  const options = appointedOptions(configured, roleOptions(configuration), appointment)
  const role = options.master === undefined ? 'slave' : 'master'
  const { secret } = options
  const adminToken = readSecretFile('adminTokenFile', values.adminTokenFile)?.toString()

  const random = new NodeRandom()
  // From here on health checks are answered, however long the recovery of the log takes.
  let broker: Broker | undefined
  const http = opened.adopt(
    await startHttpServer(
      { host: values.listenAddress, port: parts.ports.http },
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
  const word = new SetSecret(secret, options.identity, { clock, random, tls: tls.calls })
  const opening = opened.use(
    await Broker.open(options, {
      files,
      net: haNet(values, options.identity, credentials, sparingly),
      clock,
      random,
      logger,
      meter,
      ...(values.namesrvAddr === '' ? {} : throughMetadataRpc(values.namesrvAddr, word, options.set)),
      metadataSource: (address) => new GrpcMetadataClient(address, word),
    }),
  )

  broker = opening
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
    ports: { grpc: port, http: http.port },
    onAppointed: (listener) => void opening.onAppointed(listener),
    ready: readiness(broker).then((): ReadyFacts => ({
      service: `broker-${parts.role}`,
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

function throughMetadataRpc(
  address: string,
  word: SetSecret,
  set: string,
): Pick<BrokerPorts, 'registry' | 'handBackAround'> {
  return {
    registry: new GrpcRegistryLink(address, word),
    handBackAround: (to) => new GrpcHandBackAround(address, word, { set, to }),
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
