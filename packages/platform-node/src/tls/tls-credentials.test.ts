import { rmSync, writeFileSync } from 'node:fs'
import type { CertificateWishes } from '@tandemmq/testkit'
import { afterAll, expect, test } from 'vitest'
import { TlsPlace } from '../testing/tls-place.ts'
import { uriNamesOf } from './certificate-names.ts'

const place = new TlsPlace()
afterAll(() => place[Symbol.dispose]())

function days(count: number): CertificateWishes {
  return { to: new Date(Date.now() + count * 86_400_000) }
}

function names(subjectAltName: string): readonly string[] {
  return uriNamesOf({ subjectAltName })
}

test('files that are missing, no certificate, or do not belong together stop the start, with the key that names them', () => {
  const files = place.write('one')
  const other = place.write('other')
  expect(place.read(files).current().minVersion).toBe('TLSv1.3')
  const why = (change: Partial<typeof files>) => () => place.read({ ...files, ...change })
  expect(why({ cert: `${files.cert}x` })).toThrow(/^tlsCertPath names a file that cannot be read/)
  expect(why({ cert: files.key })).toThrow(/^tlsCertPath must name a file with a certificate/)
  expect(why({ trust: files.key })).toThrow(/^tlsTrustCertPath must name a file with a certificate/)
  expect(why({ key: other.key })).toThrow(/^tlsKeyPath must name the key of the certificate/)
  expect(why({ key: files.cert })).toThrow(/^tlsKeyPath/)
})

test('new files that do not fit together are told once, and the old ones stay in use until they do', () => {
  const files = place.write('kept', { uris: ['tandemmq://c/s'] })
  const credentials = place.read(files)
  const before = credentials.current()
  const look = () => {
    place.monotonic += 1_000
    return credentials.current()
  }
  const told = () => place.logger.messages('error').length
  expect(look()).toBe(before)
  writeFileSync(files.key, 'half written')
  expect(look()).toBe(before)
  expect(look()).toBe(before)
  expect(told()).toBe(1)
  rmSync(files.key)
  expect(look()).toBe(before)
  expect(told()).toBe(2)
  place.write('kept')
  expect(look()).not.toBe(before)
  expect(credentials.uriNames).toEqual([])
  expect(told()).toBe(2)
})

test('a certificate that is about to end is warned about', () => {
  const before = place.logger.messages('warn').length
  place.credentials('long', days(15))
  expect(place.logger.messages('warn').length).toBe(before)
  place.credentials('short', days(13))
  expect(place.logger.messages('warn').length).toBe(before + 1)
})

test('a name with a comma or a quotation mark in it is never taken for several', () => {
  expect(names('DNS:a, URI:tandemmq://c/s, IP Address:1.2.3.4, URI:b')).toEqual(['tandemmq://c/s', 'b'])
  expect(names(String.raw`DNS:"a, URI:tandemmq://c/s"`)).toEqual([])
  expect(names(String.raw`URI:"x\", URI:tandemmq://c/s"`)).toEqual([])
  expect(names(String.raw`DNS:"x\\", URI:tandemmq://c/s`)).toEqual(['tandemmq://c/s'])
  expect(uriNamesOf({ subjectAltName: undefined })).toEqual([])
})
