import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Logger } from '@tandemmq/base'
import { RecordingLogger, TestAuthority, type CertificateWishes } from '@tandemmq/testkit'
import { TlsCredentials, type TlsFiles } from '../tls/tls-credentials.ts'

/** A directory with TLS files of several parties, and the authority that they trust. */
export class TlsPlace implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'tandemmq-tls-'))
  readonly authority = new TestAuthority()
  readonly logger = new RecordingLogger()
  monotonic = 0

  /** Writes the files of a party; written again, they replace the earlier ones. */
  write(
    party: string,
    wishes: CertificateWishes = { hosts: ['127.0.0.1'] },
    signer = this.authority,
    trusted = this.authority,
  ): TlsFiles {
    const at = (name: string): string => join(this.directory, `${party}-${name}.pem`)
    const { cert, key } = signer.issue(wishes)
    const files = { cert: at('cert'), key: at('key'), trust: at('trust') }
    writeFileSync(files.cert, cert)
    writeFileSync(files.key, key)
    writeFileSync(files.trust, trusted.cert)
    return files
  }

  credentials(...wanted: Parameters<TlsPlace['write']>): TlsCredentials {
    return this.read(this.write(...wanted))
  }

  read(files: TlsFiles, logger: Logger = this.logger): TlsCredentials {
    return TlsCredentials.read(files, {
      logger,
      clock: { now: () => Date.now(), monotonic: () => this.monotonic },
    })
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true })
  }
}
