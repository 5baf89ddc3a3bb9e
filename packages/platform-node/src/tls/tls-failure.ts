import { BrokerError } from '@tandemmq/base'

const UNTRUSTED = new Set([
  'CERT_SIGNATURE_FAILURE',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])
/** What OpenSSL says of bytes that are no TLS record. */
const NO_TLS = new Set([
  'ERR_SSL_BAD_RECORD_TYPE',
  'ERR_SSL_HTTP_REQUEST',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
  'ERR_SSL_RECORD_LAYER_FAILURE',
  'ERR_SSL_UNEXPECTED_MESSAGE',
  'ERR_SSL_WRONG_VERSION_NUMBER',
])

/** What is wrong with a peer's certificate, as the end of the sentence "the certificate of … "; `undefined`: it is not the certificate. */
export function certificateProblem(code: string): string | undefined {
  if (code === 'CERT_HAS_EXPIRED') return 'has expired'
  if (code === 'CERT_NOT_YET_VALID') return 'is not valid yet'
  if (code === 'INVALID_PURPOSE') return 'is not meant for this: its extended key usage lacks it'
  if (UNTRUSTED.has(code)) return 'is signed by no authority that is trusted here'
  return /^(?:CERT_|UNABLE_TO_|CA_|CRL_|PATH_LENGTH|HOSTNAME_|INVALID_CA)/.test(code)
    ? `is not accepted (${code})`
    : undefined
}

/** Why a connection that we opened could not be encrypted. `peer`: `host:port`. */
export function dialFailure(peer: string, cause: Error): BrokerError {
  const code = codeOf(cause)
  const problem = certificateProblem(code)
  if (problem !== undefined) return refused(`the certificate of ${peer} ${problem}`, cause)
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return refused(`the certificate of ${peer} is for another host: ${cause.message}`, cause)
  }
  if (NO_TLS.has(code)) return refused(`${peer} answers without TLS`, cause)
  if (code === 'ECONNRESET' || code === 'EPIPE') {
    return refused(`${peer} hung up during the TLS handshake: it may not speak TLS`, cause)
  }
  return refused(`no TLS connection to ${peer}: ${reasonOf(cause)}`, cause)
}

/** Why a connection that was accepted could not be encrypted. */
export function acceptFailure(cause: Error): BrokerError {
  const code = codeOf(cause)
  if (code === 'ECONNRESET' || code === 'EPIPE') return refused('it hung up during the TLS handshake', cause)
  return refused(`no TLS handshake: ${reasonOf(cause)}`, cause)
}

/** A peer whose first byte belongs to no TLS record. */
export function spokePlainly(): BrokerError {
  return refused('it does not speak TLS, and this port takes nothing else')
}

function refused(words: string, cause?: Error): BrokerError {
  return new BrokerError('PEER_REFUSED', words, cause === undefined ? {} : { cause })
}

/** Node's, the system's or OpenSSL's. */
function codeOf(cause: Error): string {
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : ''
}

/** OpenSSL's own reason, where it gives one: its whole message also names files of its source. */
function reasonOf(cause: Error): string {
  return 'reason' in cause && typeof cause.reason === 'string' ? cause.reason : cause.message
}
