import { BrokerError, type Logger, type Net } from '@tandemmq/base'
import { answerInPlain, certifiedName } from '@tandemmq/ha-protocol'
import { NodeNet, TlsCredentials, TlsNet, type NodeClock } from '@tandemmq/platform-node'
import type { BrokerValues } from './broker-keys.ts'

export interface HaNetPorts {
  readonly logger: Logger
  /** For what anybody may cause who reaches the port. */
  readonly sparingly: Logger
  readonly clock: NodeClock
}

/** What HA connections are made of: TCP, or TLS over it. Throws `CONFIG_INVALID` if the files for that are not what they should be. */
export function haNet(values: BrokerValues, identity: string, { logger, sparingly, clock }: HaNetPorts): Net {
  if (values.haTls === 'off') return new NodeNet({ logger: sparingly })
  const files = { cert: values.tlsCertPath, key: values.tlsKeyPath, trust: values.tlsTrustCertPath }
  const credentials = TlsCredentials.read(files, { logger, clock })
  const mutual = values.haTls === 'mutual'
  if (mutual) demandOwnName(credentials, values, identity)
  return new TlsNet({ credentials, mutual, answerInPlain, logger: sparingly })
}

/** Found out here, not by every peer in turn. */
function demandOwnName(
  { uriNames }: TlsCredentials,
  { brokerClusterName: cluster, brokerName: set, tlsCertPath }: BrokerValues,
  identity: string,
): void {
  const allowed = [certifiedName({ cluster, set }), certifiedName({ cluster, set, identity })]
  if (uriNames.some((name) => allowed.includes(name))) return
  throw new BrokerError(
    'CONFIG_INVALID',
    `tlsCertPath must name a certificate with a URI ${allowed.join(' or ')} as subject alternative name, for haTls=mutual; ${tlsCertPath} has ${uriNames.join(', ') || 'no URI'}`,
  )
}
