import { createHmac, timingSafeEqual } from 'node:crypto'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { credentials, Metadata, type ChannelCredentials } from '@grpc/grpc-js'
import { BrokerError, type Clock, type Random } from '@tandemmq/base'

/** What a call is for. A token for one purpose is worth nothing for another. */
export type Purpose = 'registry' | 'follow' | 'hand-back' | 'metadata' | 'forward'

/** Our word in the metadata of a call: version;purpose;identity;nonce;time;mac. */
const TOKEN_KEY = 'tandemmq-auth'
/** The server's word in its initial metadata: it knows the secret too. */
const PROOF_KEY = 'tandemmq-proof'
const VERSION = 'v1'
const NONCE_BYTES = 16
/** Clocks of two machines may differ by this much, either way; a nonce is remembered for the whole of it. */
export const TOKEN_WINDOW_MS = 30_000
const NONCES_MAX = 100_000
const identityPattern = /^[A-Za-z0-9._:@%|-]{1,127}$/
const noncePattern = /^[0-9a-f]{32}$/
const timePattern = /^[0-9]{1,15}$/

/** A secret shared by the members of a set and metadata-rpc. It never travels. */
export type SecretKey = Buffer | undefined

/** Checks an answer's initial metadata; throws `PEER_REFUSED` if the server does not know the secret. */
export type ProofCheck = (initial: Metadata) => void

export interface SetSecretPorts {
  readonly clock: Clock
  readonly random: Random
  /** Calls go in TLS, with whom we trust (and who we are) as this says at the moment; default: in plain text. */
  readonly tls?: (() => SecureContextOptions) | undefined
}

/**
 * What we bring to a call of another of our services: our word in its metadata, which without a secret only names the caller, and TLS where the
 * others take it.
 */
export class SetSecret {
  readonly #key: SecretKey
  readonly #clock: Clock
  readonly #random: Random
  readonly #tls: SetSecretPorts['tls']
  readonly #identity: string

  constructor(key: SecretKey, identity: string, ports: SetSecretPorts) {
    this.#key = key
    this.#identity = identity
    this.#clock = ports.clock
    this.#random = ports.random
    this.#tls = ports.tls
  }

  /** For one connection: files may have changed before the next one. */
  channelCredentials(): ChannelCredentials {
    if (this.#tls === undefined) return credentials.createInsecure()
    return credentials.createFromSecureContext(createSecureContext(this.#tls()))
  }

  /** Good for one call. */
  sign(purpose: Purpose): { readonly metadata: Metadata; readonly checkProof: ProofCheck } {
    const nonce = this.#random.bytes(NONCE_BYTES).toString('hex')
    const claim = [VERSION, purpose, this.#identity, nonce, String(Math.floor(this.#clock.now()))]
    const key = this.#key
    const metadata = new Metadata()
    metadata.set(TOKEN_KEY, [...claim, key ? macOf(key, 'token', claim) : ''].join(';'))
    return {
      metadata,
      checkProof: (initial) => {
        if (!key) return
        const [proof] = initial.get(PROOF_KEY)
        if (typeof proof === 'string' && isSame(proof, macOf(key, 'proof', claim))) return
        throw refusal('the peer does not know the secret of this set')
      },
    }
  }
}

/** Who a call comes from, by its own signed word. */
export interface Caller {
  readonly identity: string
  /** Initial metadata to answer with. */
  readonly proof: Metadata
}

/** Judges the words of callers. Every refusal is `PEER_REFUSED` with the fact `unauthenticated`, and a sentence. */
export class SetSecretGuard {
  readonly #key: SecretKey
  readonly #clock: Clock
  /** Nonces seen within the window, oldest first, with the time they were seen at (monotonic). */
  readonly #nonces = new Map<string, number>()

  constructor(key: SecretKey, ports: { readonly clock: Clock }) {
    this.#key = key
    this.#clock = ports.clock
  }

  /** Throws unless the caller knows the secret and says so for the first time, for this purpose, now. */
  check(purpose: Purpose, metadata: Metadata): Caller {
    const [word] = metadata.get(TOKEN_KEY)
    if (typeof word !== 'string') throw refusal('this call carries no token of the set')
    const [version = '', claimedPurpose = '', identity = '', nonce = '', at = '', mac = '', ...rest] =
      word.split(';')
    const claim = [version, claimedPurpose, identity, nonce, at]
    const isWellFormed =
      rest.length === 0 &&
      version === VERSION &&
      identityPattern.test(identity) &&
      noncePattern.test(nonce) &&
      timePattern.test(at)
    if (!isWellFormed) throw refusal('the token of this call is malformed')
    if (claimedPurpose !== purpose)
      throw refusal(`the token of this call is for ${claimedPurpose.slice(0, 20)}, not for ${purpose}`)
    const key = this.#key
    if (!key) return { identity, proof: new Metadata() }
    if (!isSame(mac, macOf(key, 'token', claim)))
      throw refusal(`${identity} does not know the secret of this set`)
    const skewMs = Number(at) - this.#clock.now()
    if (Math.abs(skewMs) > TOKEN_WINDOW_MS) {
      throw refusal(
        `the clock of ${identity} differs from ours by ${Math.round(skewMs / 1000)} s; ${TOKEN_WINDOW_MS / 1000} s are allowed`,
      )
    }
    this.#remember(nonce, identity)
    const proof = new Metadata()
    proof.set(PROOF_KEY, macOf(key, 'proof', claim))
    return { identity, proof }
  }

  /** A token is accepted until its time is a window old, and its time may be a window ahead: two windows are remembered. */
  #remember(nonce: string, identity: string): void {
    const now = this.#clock.monotonic()
    for (const [old, seenAt] of this.#nonces) {
      if (now - seenAt <= 2 * TOKEN_WINDOW_MS) break
      this.#nonces.delete(old)
    }
    if (this.#nonces.has(nonce)) throw refusal(`the token of ${identity} was used before`)
    if (this.#nonces.size >= NONCES_MAX)
      throw new BrokerError('SYSTEM_BUSY', 'too many calls in a short time')
    this.#nonces.set(nonce, now)
  }
}

function macOf(key: Buffer, role: 'token' | 'proof', claim: readonly string[]): string {
  return createHmac('sha256', key)
    .update(['tandemmq', role, ...claim].join('\n'))
    .digest('hex')
}

function isSame(given: string, expected: string): boolean {
  const one = Buffer.from(given)
  const other = Buffer.from(expected)
  return one.length === other.length && timingSafeEqual(one, other)
}

function refusal(sentence: string): BrokerError {
  return new BrokerError('PEER_REFUSED', sentence, { facts: { unauthenticated: true } })
}
