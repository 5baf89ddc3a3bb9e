import type { SecureContextOptions } from 'node:tls'
import type { TlsCredentials, TlsFiles } from './tls-credentials.ts'
import { TlsHandshakes } from './tls-handshakes.ts'

/**
 * What a service does about TLS on its gRPC port and in its calls of other services: nothing; take it; take it and use it; take nothing else and use it.
 * From one to the next a cluster changes over service by service.
 */
export const grpcTlsModes = ['off', 'accepted', 'used', 'required'] as const
export type GrpcTlsMode = (typeof grpcTlsModes)[number]

/** The keys that name the files. */
export interface TlsFileKeys {
  readonly tlsCertPath: string
  readonly tlsKeyPath: string
  readonly tlsTrustCertPath: string
}

export function tlsFilesOf({ tlsCertPath, tlsKeyPath, tlsTrustCertPath }: TlsFileKeys): TlsFiles {
  return { cert: tlsCertPath, key: tlsKeyPath, trust: tlsTrustCertPath }
}

/** The first key that names no file. */
export function missingTlsFile(values: TlsFileKeys): keyof TlsFileKeys | undefined {
  return (['tlsCertPath', 'tlsKeyPath', 'tlsTrustCertPath'] as const).find((key) => values[key] === '')
}

export interface ServiceTls {
  /** For the port; absent: it takes plain text only. */
  readonly port?: { readonly required: boolean } & Pick<TlsHandshakes, 'begin'>
  /** For calls of other services; absent: they go in plain text. */
  readonly calls?: () => SecureContextOptions
}

/** Of clients and of other services no certificate is asked for: the ones may be anybody, the others say a word of the set. */
export function serviceTls(
  mode: GrpcTlsMode,
  credentials: TlsCredentials | undefined,
  handshakeMs: number,
): ServiceTls {
  if (mode === 'off' || credentials === undefined) return {}
  const handshakes = new TlsHandshakes({ credentials, mutual: false, handshakeMs, protocols: ['h2'] })
  return {
    port: { required: mode === 'required', begin: (socket, end) => handshakes.begin(socket, end) },
    ...(mode !== 'accepted' && { calls: () => credentials.current() }),
  }
}
