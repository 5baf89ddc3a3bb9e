import { X509Certificate, createHash, generateKeyPairSync, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import {
  bitString,
  bool,
  generalName,
  integer,
  namedBits,
  objectId,
  octetString,
  sequence,
  set,
  tagged,
  time,
  utf8,
} from './der.ts'

/** A certificate with its key, both PEM. */
export interface IssuedCertificate {
  readonly cert: string
  readonly key: string
}

export interface CertificateWishes {
  /** Common name. */
  readonly name?: string
  /** Subject alternative name: host names, IPv4 addresses, URIs. */
  readonly hosts?: readonly string[]
  readonly uris?: readonly string[]
  /** Default: an hour ago, and in an hour. */
  readonly from?: Date
  readonly to?: Date
  /** Extended key usage. Default: both. */
  readonly usage?: readonly ('server' | 'client')[]
}

const HOUR_MS = 3_600_000
const ECDSA_WITH_SHA256 = sequence(objectId('1.2.840.10045.4.3.2'))
const PURPOSES = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' }

/** A certificate authority of one test: Node can check X.509 certificates (RFC 5280), but issues none. */
export class TestAuthority {
  /** PEM. */
  readonly cert: string
  readonly #name: string
  readonly #keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })

  constructor(name = 'Test CA') {
    this.#name = name
    const extensions = [
      extension('2.5.29.19', sequence(bool(true)), true),
      extension('2.5.29.15', namedBits([5, 6]), true),
    ]
    this.cert = this.#signed(name, this.#keys.publicKey, {}, extensions)
  }

  issue(wishes: CertificateWishes = {}): IssuedCertificate {
    const { hosts = [], uris = [], usage = ['server', 'client'] } = wishes
    const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const others = [
      ...hosts.map((host) => generalName(host)),
      ...uris.map((uri) => tagged(6, false, Buffer.from(uri))),
    ]
    const extensions = [
      extension('2.5.29.37', sequence(...usage.map((purpose) => objectId(PURPOSES[purpose])))),
      ...(others.length === 0 ? [] : [extension('2.5.29.17', sequence(...others))]),
    ]
    const cert = this.#signed(wishes.name ?? 'test', keys.publicKey, wishes, extensions)
    return { cert, key: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
  }

  #signed(
    subject: string,
    publicKey: KeyObject,
    wishes: CertificateWishes,
    extensions: readonly Buffer[],
  ): string {
    const now = Date.now()
    const from = wishes.from ?? new Date(now - HOUR_MS)
    const to = wishes.to ?? new Date(now + HOUR_MS)
    const publicInfo = publicKey.export({ type: 'spki', format: 'der' })
    const serial = Buffer.concat([
      Buffer.from([1]),
      createHash('sha256').update(publicInfo).digest().subarray(0, 8),
    ])
    const body = sequence(
      tagged(0, true, integer(Buffer.from([2]))),
      integer(serial),
      ECDSA_WITH_SHA256,
      commonName(this.#name),
      sequence(time(from), time(to)),
      commonName(subject),
      publicInfo,
      tagged(3, true, sequence(...extensions)),
    )
    const signature = sign('sha256', body, this.#keys.privateKey)
    const der = sequence(body, ECDSA_WITH_SHA256, bitString(signature))
    return new X509Certificate(der).toString()
  }
}

function commonName(name: string): Buffer {
  return sequence(set(sequence(objectId('2.5.4.3'), utf8(name))))
}

function extension(id: string, value: Buffer, critical = false): Buffer {
  return sequence(objectId(id), ...(critical ? [bool(true)] : []), octetString(value))
}
