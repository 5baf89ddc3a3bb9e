// Between our own processes: the server, the secret, registration.
export { defaultGrpcServerOptions, GrpcServer, type GrpcServerOptions } from './server.ts'
export { SetSecret, SetSecretGuard, TOKEN_WINDOW_MS, type SecretKey } from './set-secret.ts'
export { addRegistryService, GrpcRegistryLink, type RegistryServicePorts } from './registry/index.ts'
export {
  addForwardService,
  ForwardChannels,
  type ForwardOptions,
  type ForwardPorts,
  type ForwardServiceOptions,
  type ForwardServicePorts,
} from './forward/index.ts'
