import { isLoopback, missingTlsFile } from '@tandemmq/platform-node'
import type { BrokerValues } from './broker-keys.ts'

/** A key that has a value which it may not have. */
export interface Insecurity {
  readonly key: keyof BrokerValues
  /** As the end of the sentence "`key` must be …". */
  readonly allowed: string
}

/** The address that the HA port is bound to. */
export function haHost({ haListenAddress, listenAddress }: BrokerValues): string {
  return haListenAddress === '' ? listenAddress : haListenAddress
}

/** On one port at least. */
export function usesTls({ haTls, grpcTls }: BrokerValues): boolean {
  return haTls !== 'off' || grpcTls !== 'off'
}

/** What others could do who reach a port, and must not; or that cannot be kept from them as is wished. The first such thing. */
export function insecurityOf(values: BrokerValues): Insecurity | undefined {
  if (values.haTls !== 'off') {
    if (values.haPeer === 'apache') {
      return { key: 'haTls', allowed: 'off with haPeer=apache: the HA port of Apache RocketMQ speaks no TLS' }
    }
    if (values.haLegacySlaves) {
      return { key: 'haLegacySlaves', allowed: 'false with haTls: slaves of Apache RocketMQ speak no TLS' }
    }
  }
  if (usesTls(values)) {
    const missing = missingTlsFile(values)
    if (missing !== undefined) return { key: missing, allowed: 'a file (PEM) with haTls or grpcTls' }
  }
  if (values.setSecretFile !== '') return undefined
  if (!isLoopback(values.listenAddress)) {
    return { key: 'listenAddress', allowed: 'a loopback address as long as there is no setSecretFile' }
  }
  if (!isLoopback(haHost(values)) && values.haTls !== 'mutual') {
    return {
      key: 'haListenAddress',
      allowed: 'a loopback address as long as there is neither a setSecretFile nor haTls=mutual',
    }
  }
  return undefined
}
