import { X509Certificate } from 'node:crypto'
import { statSync } from 'node:fs'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { BrokerError, messageOf, type Logger } from '@tandemmq/base'
import { readSmallFile } from '../small-file.ts'
import { uriNamesOf } from './certificate-names.ts'

/** PEM files, with the keys of the configuration that name them. */
export interface TlsFiles {
  /** `tlsCertPath`: our certificate, and those between it and the authority. */
  readonly cert: string
  /** `tlsKeyPath`: its key, not encrypted. */
  readonly key: string
  /** `tlsTrustCertPath`: the authorities that sign the certificates of our peers; no others are trusted. */
  readonly trust: string
}

export interface TlsCredentialsPorts {
  readonly logger: Logger
  readonly clock: { now(): number; monotonic(): number }
}

const FILE_BYTES_MAX = 1024 * 1024
/** How often files are looked at, if connections come and go, ms. */
const LOOK_MS = 1_000
const DAY_MS = 86_400_000
/** A certificate that ends sooner is warned about. */
const ENDING_DAYS = 14

/** What one set of files came to. */
interface Loaded {
  readonly seen: string
  readonly options: SecureContextOptions
  readonly certificate: X509Certificate
}

/**
 * Who we are and whom we trust. The files are read again for a new connection once they have changed; until what they hold then fits together, what
 * they held before stays.
 */
export class TlsCredentials {
  readonly #files: TlsFiles
  readonly #ports: TlsCredentialsPorts
  #loaded: Loaded
  #lookedAt: number
  #refused = ''

  private constructor(files: TlsFiles, ports: TlsCredentialsPorts, loaded: Loaded) {
    this.#files = files
    this.#ports = ports
    this.#loaded = loaded
    this.#lookedAt = ports.clock.monotonic()
    this.#warnOfEnd()
  }

  /** Throws `CONFIG_INVALID` with the key of the file that cannot be read, or is not what it should be. */
  static read(files: TlsFiles, ports: TlsCredentialsPorts): TlsCredentials {
    return new TlsCredentials(files, ports, load(files, seenOf(files)))
  }

  /** The same object as long as nothing has changed. TLS 1.3 is the least that is spoken. */
  current(): SecureContextOptions {
    const { clock, logger } = this.#ports
    if (clock.monotonic() - this.#lookedAt < LOOK_MS) return this.#loaded.options
    this.#lookedAt = clock.monotonic()
    const seen = seenOf(this.#files)
    if (seen === this.#loaded.seen || seen === this.#refused) return this.#loaded.options
    try {
      this.#loaded = load(this.#files, seen)
      logger.info({ validTo: this.#loaded.certificate.validTo }, 'the TLS certificate has been read again')
      this.#warnOfEnd()
    } catch (failure) {
      this.#refused = seen
      logger.error({ why: messageOf(failure) }, 'the new TLS files are not taken: going on with the old ones')
    }
    return this.#loaded.options
  }

  /** The `URI` entries of our own certificate. */
  get uriNames(): readonly string[] {
    return uriNamesOf(this.#loaded.certificate)
  }

  #warnOfEnd(): void {
    const { clock, logger } = this.#ports
    const { validTo } = this.#loaded.certificate
    const days = Math.floor((Date.parse(validTo) - clock.now()) / DAY_MS)
    if (days < ENDING_DAYS) logger.warn({ validTo, days }, 'the TLS certificate ends soon, or has ended')
  }
}

/** What changes when one of the files does; a link is followed. */
function seenOf(files: TlsFiles): string {
  return [files.cert, files.key, files.trust]
    .map((path) => {
      const stat = statSync(path, { throwIfNoEntry: false })
      return stat === undefined ? 'none' : `${stat.ino} ${stat.size} ${stat.mtimeMs}`
    })
    .join(', ')
}

function load(files: TlsFiles, seen: string): Loaded {
  const cert = contentOf('tlsCertPath', files.cert)
  const key = contentOf('tlsKeyPath', files.key)
  const ca = contentOf('tlsTrustCertPath', files.trust)
  const certificate = certificateOf('tlsCertPath', files.cert, cert)
  certificateOf('tlsTrustCertPath', files.trust, ca)
  const options: SecureContextOptions = { cert, key, ca, minVersion: 'TLSv1.3' }
  try {
    createSecureContext(options)
  } catch (cause) {
    const words = `tlsKeyPath must name the key of the certificate in tlsCertPath, not encrypted: ${messageOf(cause)}`
    throw new BrokerError('CONFIG_INVALID', words, { cause })
  }
  return { seen, options, certificate }
}

function certificateOf(name: string, path: string, pem: string): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch (cause) {
    throw new BrokerError(
      'CONFIG_INVALID',
      `${name} must name a file with a certificate (PEM), not ${path}`,
      {
        cause,
      },
    )
  }
}

function contentOf(name: string, path: string): string {
  try {
    return readSmallFile(path, FILE_BYTES_MAX)
  } catch (cause) {
    throw new BrokerError('CONFIG_INVALID', `${name} names a file that cannot be read: ${messageOf(cause)}`, {
      cause,
    })
  }
}
