import type { X509Certificate } from 'node:crypto'

/**
 * The `URI` entries of a certificate's subject alternative name. Node writes it as `DNS:…, URI:…`, and as a JSON string what holds a
 * quotation mark, a comma or a control character: such an entry is never taken for several.
 */
export function uriNamesOf(certificate: Pick<X509Certificate, 'subjectAltName'>): readonly string[] {
  const entries = (certificate.subjectAltName ?? '').match(/(?:"(?:[^"\\]|\\.)*"|[^,"])+/g) ?? []
  return entries.flatMap((entry) => {
    const [, name] = /^ ?URI:([^"]+)$/.exec(entry) ?? []
    return name === undefined ? [] : [name]
  })
}
