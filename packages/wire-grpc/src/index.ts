// Between our own processes: the server, the secret, registration.
export { GrpcServer, type GrpcServerOptions } from './server.ts'
export { SetSecret, SetSecretGuard, TOKEN_WINDOW_MS, type SecretKey } from './set-secret.ts'
export {
  addRegistryService,
  GrpcHandBackAround,
  GrpcRegistryLink,
  type RegistryServicePorts,
} from './registry/index.ts'
export {
  addForwardService,
  ForwardChannels,
  MESSAGE_BODY_BYTES_MAX,
  type ForwardOptions,
  type ForwardPorts,
  type ForwardServiceOptions,
  type ForwardServicePorts,
} from './forward/index.ts'
export {
  addMetadataService,
  GrpcMetadataClient,
  type GroupWish,
  type MetadataAdmin,
  type MetadataProvider,
  type TopicWish,
} from './metadata/index.ts'
// The client API: one broker's calls, the edge where it ends, the gateway that passes it on.
export { BrokerCalls, type CallTarget, type ConsumerPresence } from './client-api/index.ts'
export {
  clientService,
  ClientEdge,
  echoedEndpoints,
  endpointsOf,
  type AdvertisedEndpoints,
  type ClientEdgeParts,
  type ClientService,
  type GroupTraits,
  type RouteCatalog,
  type TopicKind,
  type TopicPlacement,
} from './edge/index.ts'
export { Gateway, type BrokerChannel, type BrokerChannels, type GatewayParts } from './gateway/index.ts'
