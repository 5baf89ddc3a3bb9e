import { BrokerError, type Logger, type Net } from '@tandemmq/base'
import { answerInPlain, certifiedName } from '@tandemmq/ha-protocol'
import { NodeNet, TlsNet, type TlsCredentials } from '@tandemmq/platform-node'
import type { BrokerValues } from './broker-keys.ts'

/**
 * What HA connections are made of: TCP, or TLS over it. `sparingly`: for what anybody may cause who reaches the port. Throws `CONFIG_INVALID` if our certificate
 * does not name us where it has to.
 */
export function haNet(
  values: BrokerValues,
  identity: string,
  credentials: TlsCredentials | undefined,
  sparingly: Logger,
): Net {
  if (values.haTls === 'off' || credentials === undefined) return new NodeNet({ logger: sparingly })
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
