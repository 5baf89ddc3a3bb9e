import type { PeerCertificate } from '@tandemmq/base'
import type { Hello, Refusal } from '@tandemmq/codec'

/** Of whom a certificate may speak. */
export interface CertifiedName {
  readonly cluster: string
  readonly set: string
  /** Absent: any member of the set. */
  readonly identity?: string
}

/**
 * How a certificate names a member, as a `URI` in its subject alternative name: `tandemmq://<cluster>/<set>` is any member of the set,
 * `tandemmq://<cluster>/<set>/<identity>` this one alone. A form of its own, so that no certificate of a web server makes a member by chance.
 */
export function certifiedName({ cluster, set, identity }: CertifiedName): string {
  return `tandemmq://${[cluster, set, ...(identity === undefined ? [] : [identity])].join('/')}`
}

/** Why the certificate on this connection does not stand for who says `hello` on it; undefined: it does. */
export function whyNotCertified(hello: Hello, certificate: PeerCertificate | undefined): Refusal | undefined {
  const peer = `${hello.role} "${hello.identity}"`
  if (certificate === undefined) return refusal(`${peer} was not asked for a certificate`)
  if (certificate.problem !== undefined) return refusal(`the certificate of ${peer} ${certificate.problem}`)
  const { cluster, set, identity } = hello
  const allowed = [certifiedName({ cluster, set }), certifiedName({ cluster, set, identity })]
  if (certificate.names.some((name) => allowed.includes(name))) return undefined
  const named = certificate.names.length === 0 ? 'no URI' : certificate.names.join(', ')
  return refusal(`the certificate of ${peer} names ${named}, not ${allowed.join(' or ')}`)
}

function refusal(words: string): Refusal {
  return { reason: 'certificate', words }
}
