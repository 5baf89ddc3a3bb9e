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
import { MESSAGE_BODY_BYTES_MAX } from '@tandemmq/wire-grpc'

/** The keys of a broker's configuration. Names and defaults are Apache's where Apache has the key. */
export const brokerKeys = {
  brokerClusterName: name({ default: 'DefaultCluster', text: 'The cluster this broker belongs to.' }),
  brokerName: name({ default: 'broker-a', text: 'The broker set: one master and its slaves.' }),
  brokerId: integer({
    default: 0,
    min: 0,
    max: 1_000,
    text: '0 is the master of its set, slaves count from 1.',
  }),
  brokerRole: oneOf(['ASYNC_MASTER', 'SYNC_MASTER', 'SLAVE'], {
    default: 'ASYNC_MASTER',
    text: 'What the broker is in its set, and whether a master waits for its slaves.',
  }),
  roleIfPromoted: oneOf(['ASYNC_MASTER', 'SYNC_MASTER'], {
    default: 'SYNC_MASTER',
    text: 'Slave: its brokerRole once it is made the master of its set.',
  }),
  flushDiskType: oneOf(['ASYNC_FLUSH', 'SYNC_FLUSH'], {
    default: 'ASYNC_FLUSH',
    text: 'Whether OK waits for the disk (group commit, fdatasync).',
  }),
  inSyncReplicas: integer({
    default: 2,
    min: 1,
    max: 100,
    text: 'SYNC_MASTER: identities that must hold a message before OK, the master included.',
  }),
  enableAutoInSyncReplicas: flag({
    default: false,
    text: 'SYNC_MASTER: while fewer replicas are known than inSyncReplicas, OK waits for those that are, and says less. Otherwise nothing is stored then.',
  }),
  minInSyncReplicas: integer({
    default: 1,
    min: 1,
    max: 100,
    text: 'SYNC_MASTER with enableAutoInSyncReplicas: with fewer known than these, the master included, nothing is stored.',
  }),
  haMaxGapNotInSync: integer({
    default: 268_435_456,
    min: 1,
    max: Number.MAX_SAFE_INTEGER,
    unit: 'bytes',
    text: 'Master: a slave that lacks as much of the log is not counted on.',
  }),
  totalReplicas: integer({
    default: 1,
    min: 1,
    max: 100,
    text: 'Brokers in the set, this one included. Not given to a SYNC_MASTER: inSyncReplicas.',
  }),
  brokerIP1: text({
    default: '127.0.0.1',
    text: 'The host name or address that others reach this broker by; not given, and with a listenAddress beyond loopback: the name of this machine.',
  }),
  listenAddress: text({ default: '127.0.0.1', text: 'The address the ports are bound to.' }),
  grpcPort: port({ default: 8081, text: 'gRPC: client API, metadata, calls from the gateway.' }),
  httpPort: port({ default: 8080, text: 'HTTP: health, readiness, metrics; 0: any free port.' }),
  httpAddressFile: text({
    default: '',
    text: 'A file into which the service writes where its HTTP listens, as host:port, for a health check on the same machine.',
  }),
  grpcMaxConnections: integer({
    default: 2_000,
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
  haListenPort: port({
    default: 10_912,
    text: 'HA: a master sends its log to its slaves here; a slave, once it is made master. Slave: 0: it cannot be.',
  }),
  haListenAddress: text({
    default: '',
    text: 'The address that the HA port alone is bound to; not given: listenAddress.',
  }),
  brokerIP2: text({
    default: '',
    text: 'The host name or address that slaves reach the HA port by; not given: brokerIP1, or the name of this machine where the port is bound beyond loopback.',
  }),
  haTls: oneOf(['off', 'on', 'mutual'], {
    default: 'off',
    text: 'HA in TLS 1.3, the same on all brokers of a set. `on`: a slave checks the certificate of its master. `mutual`: either side checks that of the other, which must name it as a member of the set; then there need be no setSecretFile for HA. See docs/tls.md.',
  }),
  grpcTls: oneOf(grpcTlsModes, {
    default: 'off',
    text: 'TLS 1.3 on the gRPC port and in calls of other services. `accepted`: the port takes it, beside plain text. `used`: and own calls use it. `required`: and the port takes nothing else. See docs/tls.md.',
  }),
  tlsCertPath: text({
    default: '',
    text: 'File with the certificate of this broker, and those between it and its authority (PEM), for haTls and grpcTls.',
  }),
  tlsKeyPath: text({ default: '', text: 'File with the key of that certificate, not encrypted (PEM).' }),
  tlsTrustCertPath: text({
    default: '',
    text: 'File with the authorities that sign the certificates of the other services (PEM); no others are trusted.',
  }),
  haFlowControlEnable: flag({
    default: false,
    text: 'Master: send no more of the log to each slave than maxHaTransferByteInSecond.',
  }),
  maxHaTransferByteInSecond: integer({
    default: 104_857_600,
    min: 1_024,
    max: 100_000_000_000,
    unit: 'bytes',
    text: 'Most of the log that a master sends to one slave in a second, with haFlowControlEnable.',
  }),
  haMasterAddress: address({ default: '', text: 'Slave: the HA port of the one master it follows.' }),
  masterGrpcAddress: address({ default: '', text: 'Slave: the gRPC port of that master, for metadata.' }),
  haPeer: oneOf(['tandemmq', 'apache'], {
    default: 'tandemmq',
    text: 'Slave: what its master is. `apache`: a genuine Apache RocketMQ master; its log alone is copied, its topics and progress are not.',
  }),
  haLegacySlaves: flag({
    default: false,
    text: 'Master: also serve slaves of Apache RocketMQ. They prove nothing: who reaches the HA port can then read the log.',
  }),
  haLegacyCounts: flag({
    default: false,
    text: 'SYNC_MASTER with ASYNC_FLUSH: such slaves complete sends too, one for each address. After a crash they cannot say what they hold.',
  }),
  namesrvAddr: address({
    default: '',
    text: 'The gRPC port of metadata-rpc; without one the master serves alone.',
  }),
  storePathRootDir: text({ default: './store', text: 'Where everything of this broker lies.' }),
  mappedFileSizeCommitLog: integer({
    default: 1_073_741_824,
    min: 65_536,
    max: 2_147_483_647,
    unit: 'bytes',
    text: 'Length of a commit log file; equal on all brokers of a set.',
  }),
  maxMessageSize: integer({
    default: 4_194_304,
    min: 1_024,
    max: MESSAGE_BODY_BYTES_MAX,
    unit: 'bytes',
    text: "Largest body of a message. Clients may send 4 MiB at most, as to Apache's proxy; larger ones come from a log of Apache RocketMQ.",
  }),
  enabledAppendPropCRC: flag({
    default: false,
    text: 'Every record ends with a checksum over all of it, 20 bytes, not only over its body. After a power cut the end of the log needs no second opinion then.',
  }),
  enableLmq: flag({
    default: false,
    text: 'With enableMultiDispatch: a message may name light queues (%LMQ%…) that lead to it too.',
  }),
  enableMultiDispatch: flag({
    default: false,
    text: 'With enableLmq: the broker says in a message which places it has in the light queues that it names.',
  }),
  messageIndexEnable: flag({
    default: true,
    text: 'Messages can be found by their keys, unique keys and tags.',
  }),
  maxHashSlotNum: integer({
    default: 5_000_000,
    min: 1,
    max: 100_000_000,
    text: 'Slots of an index file; 4 bytes of memory each for the file being filled. Another number builds the index again.',
  }),
  maxIndexNum: integer({
    default: 20_000_000,
    min: 2,
    max: 100_000_000,
    text: 'Entries of an index file, of which each key of a message takes one. Another number builds the index again.',
  }),
  fileReservedTime: integer({
    default: 72,
    min: 0,
    max: 1_000_000,
    unit: 'hours',
    text: 'How long a commit log file is kept after its last message. The newest is always kept.',
  }),
  deleteWhen: text({
    default: '04',
    text: 'Hours of the day, in local time and separated by `;`, in which commit log files that have expired are removed.',
  }),
  diskMaxUsedSpaceRatio: integer({
    default: 75,
    min: 0,
    max: 100,
    unit: '%',
    text: 'When more of the disk is in use, files that have expired are removed at any hour. Taken as 10 to 95, as Apache does.',
  }),
  diskSpaceCleanForciblyRatio: integer({
    default: 85,
    min: 0,
    max: 100,
    unit: '%',
    text: 'When more of the disk is in use, the oldest files are removed before their time, consumed or not. Taken as 30 to 85, as Apache does.',
  }),
  diskSpaceWarningLevelRatio: integer({
    default: 90,
    min: 0,
    max: 100,
    unit: '%',
    text: 'When more of the disk is in use, slaves that are away are no longer waited for. Set by you, sends are refused too, as Apache does; otherwise they are when what is left is needed for the progress of consumers (256 MiB, or 10 % of a small disk). Taken as 35 to 90.',
  }),
  cleanFileForciblyEnable: flag({
    default: true,
    text: 'Files may be removed before their time when the disk is nearly full.',
  }),
  cleanResourceInterval: integer({
    default: 10_000,
    min: 10,
    max: 3_600_000,
    unit: 'ms',
    text: 'How often files are looked through; after a start for the first time after six times as long.',
  }),
  deleteCommitLogFilesInterval: integer({
    default: 100,
    min: 0,
    max: 60_000,
    unit: 'ms',
    text: 'Pause between the removal of two commit log files.',
  }),
  deleteFileBatchMax: integer({
    default: 10,
    min: 1,
    max: 10_000,
    text: 'Commit log files removed at a time at most.',
  }),
  haRetentionHoldBytes: integer({
    default: 17_179_869_184,
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    unit: 'bytes',
    text: 'Master: files are kept beyond their time for slaves that still need them, but not for one that lacks more than this. Such a slave starts over.',
  }),
  haRetentionHoldTime: integer({
    default: 86_400_000,
    min: 0,
    max: 31_536_000_000,
    unit: 'ms',
    text: 'Master: nor for a slave that has got nothing new for so long.',
  }),
  syncFlushTimeout: integer({
    default: 5_000,
    min: 100,
    max: 60_000,
    unit: 'ms',
    text: 'How long a send waits for the disk.',
  }),
  slaveTimeout: integer({
    default: 3_000,
    min: 100,
    max: 60_000,
    unit: 'ms',
    text: 'How long a send waits for replicas.',
  }),
  autoCreateTopicEnable: flag({ default: true, text: 'Unknown topics come to be at their first use.' }),
  autoCreateSubscriptionGroup: flag({
    default: true,
    text: 'Unknown consumer groups come to be at their first use.',
  }),
  defaultTopicQueueNums: integer({
    default: 8,
    min: 1,
    max: 1_024,
    text: 'Queues of a topic that came to be by itself.',
  }),
  slaveMetadataPullInterval: integer({
    default: 10_000,
    min: 100,
    max: 600_000,
    unit: 'ms',
    text: 'Slave: how often metadata is pulled from the master.',
  }),
  slaveMetadataWatch: flag({ default: true, text: 'Slave: also follow metadata changes as they happen.' }),
  adminTokenFile: text({
    default: '',
    text: 'File with the token that callers of the admin API send; without it there is no admin API.',
  }),
  createLog: flag({
    default: false,
    text: 'Master: an empty directory may begin a new log without asking the slaves.',
  }),
  acceptLoss: flag({
    default: false,
    text: "Master: go on although a part of the log, or of what is known about it, may be missing; what only a slave still holds is given up. Slave: follow with a store that was a master's until now; what only it holds is given up.",
  }),
  setSecretFile: text({
    default: '',
    text: 'File with the secret that members of the set share; without it all ports stay on loopback.',
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

export type BrokerValues = Values<typeof brokerKeys>
