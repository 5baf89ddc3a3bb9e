import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TlsFiles } from '@tandemmq/platform-node'
import { TestAuthority } from '@tandemmq/testkit'

/** Certificate (P-256), key and authority for a master and a slave on this machine. */
export async function benchTlsFiles(directory: string): Promise<TlsFiles> {
  const authority = new TestAuthority()
  const { cert, key } = authority.issue({ hosts: ['127.0.0.1'], uris: ['tandemmq://Bench/broker-a'] })
  const at = (name: string): string => join(directory, name)
  const files = { cert: at('cert.pem'), key: at('key.pem'), trust: at('trust.pem') }
  await mkdir(directory, { recursive: true })
  await writeFile(files.cert, cert)
  await writeFile(files.key, key)
  await writeFile(files.trust, authority.cert)
  return files
}
