export { NodeClock } from './node-clock.ts'
export { NodeRandom } from './node-random.ts'
export { NodeFiles } from './node-files.ts'
export { TlsCredentials, type TlsCredentialsPorts, type TlsFiles } from './tls/tls-credentials.ts'
export { TlsHandshakes, type TlsHandshakeEnd, type TlsHandshakeOptions } from './tls/tls-handshakes.ts'
export {
  grpcTlsModes,
  missingTlsFile,
  serviceTls,
  tlsFilesOf,
  type GrpcTlsMode,
  type ServiceTls,
  type TlsFileKeys,
} from './tls/service-tls.ts'
export { TlsNet, type TlsNetOptions } from './tls/tls-net.ts'
export { NodeNet, type NodeNetOptions } from './node-net.ts'
export { PinoLogger, type PinoLoggerOptions } from './pino-logger.ts'
export { readableLine } from './readable-line.ts'
export { PromMeter } from './prom-meter.ts'
export { DirectoryLock, type DirectoryLockOptions } from './directory-lock.ts'
export { bootId } from './boot-id.ts'
export { descriptorLimit } from './descriptor-limit.ts'
export { DescriptorWatch, type DescriptorWatchPorts } from './descriptor-watch.ts'
export { errnoOf } from './errno.ts'
export {
  address,
  flag,
  integer,
  name,
  oneOf,
  port,
  text,
  type Key,
  type KeyWords,
  type Parsed,
  type Schema,
  type Values,
} from './configuration/key.ts'
export {
  readConfiguration,
  type Configuration,
  type ConfigurationSources,
} from './configuration/configuration.ts'
export { parseProperties, renderProperties, type Property } from './configuration/properties.ts'
export { renderReference } from './configuration/reference.ts'
export { LauncherChannel, parseReadyLine, READY_VARIABLE, type ReadyFacts } from './launcher-channel.ts'
export { readSecretFile } from './configuration/set-secret-file.ts'
export { writeAddressFile } from './configuration/address-file.ts'
export { isLoopback } from './configuration/loopback.ts'
export { runService, type RunningService } from './run-service.ts'
