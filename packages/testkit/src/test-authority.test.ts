import { X509Certificate, createPrivateKey } from 'node:crypto'
import { expect, test } from 'vitest'
import { TestAuthority } from './test-authority.ts'

test('an issued certificate says what was wished for and is signed by its authority alone', () => {
  const authority = new TestAuthority()
  const to = new Date('2126-05-04T03:02:01Z')
  const { cert, key } = authority.issue({
    name: 'broker-a-1',
    hosts: ['localhost', '127.0.0.1'],
    uris: ['tandemmq://c/s'],
    to,
  })
  const read = new X509Certificate(cert)
  const issuer = new X509Certificate(authority.cert)
  expect(read.subject).toBe('CN=broker-a-1')
  expect(read.subjectAltName).toBe('DNS:localhost, IP Address:127.0.0.1, URI:tandemmq://c/s')
  expect(Date.parse(read.validTo)).toBe(to.getTime())
  expect(read.checkPrivateKey(createPrivateKey(key))).toBe(true)
  expect([issuer.ca, read.ca, read.checkIssued(issuer)]).toEqual([true, false, true])
  expect(read.verify(issuer.publicKey)).toBe(true)
  expect(read.verify(new X509Certificate(new TestAuthority().cert).publicKey)).toBe(false)
})
