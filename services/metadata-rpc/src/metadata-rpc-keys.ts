import {
  address,
  flag,
  grpcTlsModes,
  integer,
  name,
  oneOf,
  port,
  text,
  type Values,
} from '@tandemmq/platform-node'

/** The keys of metadata-rpc's configuration. */
export const metadataRpcKeys = {
  clusterName: name({ default: 'DefaultCluster', text: 'The cluster; brokers of another one are refused.' }),
  brokerSets: text({
    default: '',
    text: 'Broker sets that are expected, separated by commas; others are refused. Empty: whichever register.',
  }),
  grantorAddress: address({
    default: '',
    text: 'host:port of the metadata-rpc that grants: this one relays for it, and serves clients while that is away. Empty: this one grants.',
  }),
  listenAddress: text({ default: '127.0.0.1', text: 'The address the ports are bound to.' }),
  grpcPort: port({ default: 8081, text: 'gRPC: clients, and registration of brokers.' }),
  grpcMaxConnections: integer({
    default: 10_000,
    min: 10,
    max: 100_000,
    text: 'Connections of the gRPC port at a time; more are turned away.',
  }),
  grpcHandshakeTimeout: integer({
    default: 10_000,
    min: 100,
    max: 600_000,
    unit: 'ms',
    text: 'How long a gRPC connection may take to say its first bytes.',
  }),
  httpPort: port({ default: 8080, text: 'HTTP: health, metrics, administration.' }),
  httpAddressFile: text({
    default: '',
    text: 'A file into which the service writes where its HTTP listens, as host:port, for a health check on the same machine.',
  }),
  storePathRootDir: text({ default: './store', text: "Where the copy of the brokers' metadata lies." }),
  autoCreateTopicEnable: flag({
    default: true,
    text: 'A topic that a client asks for comes to be on all sets if there is none.',
  }),
  defaultTopicQueueNums: integer({
    default: 8,
    min: 1,
    max: 1_024,
    text: 'Queues of such a topic on each set.',
  }),
  grpcTls: oneOf(grpcTlsModes, {
    default: 'off',
    text: 'TLS 1.3 on the gRPC port and in calls of other services. `accepted`: the port takes it, beside plain text. `used`: and own calls use it. `required`: and the port takes nothing else. See docs/tls.md.',
  }),
  tlsCertPath: text({
    default: '',
    text: 'File with the certificate of this service, and those between it and its authority (PEM), for grpcTls.',
  }),
  tlsKeyPath: text({ default: '', text: 'File with the key of that certificate, not encrypted (PEM).' }),
  tlsTrustCertPath: text({
    default: '',
    text: 'File with the authorities that sign the certificates of the other services (PEM); no others are trusted.',
  }),
  setSecretFile: text({
    default: '',
    text: 'File with the secret that brokers share; without it all ports stay on loopback.',
  }),
  adminTokenFile: text({
    default: '',
    text: 'File with the token that callers of the admin API send; without it the API is open.',
  }),
  logFormat: oneOf(['auto', 'json', 'text'], {
    default: 'auto',
    text: 'Log lines for programs or for people.',
  }),
  logLevel: oneOf(['debug', 'info', 'warn', 'error'], {
    default: 'info',
    text: 'The least important lines that are written.',
  }),
} as const

export type MetadataRpcValues = Values<typeof metadataRpcKeys>
