import { promises as dns, type LookupAddress } from 'node:dns'

/** No such name is in any DNS (RFC 6761). */
const NAME = 'gateways.test'

/**
 * While it is held, the name `gateways.test` leads to several IPv4 addresses in this process, as that of two gateways does in the DNS of a
 * network: the official client's gRPC looks it up like any other.
 */
export function oneName(addresses: readonly string[]): { readonly name: string } & Disposable {
  const lookup = dns.lookup
  const found = addresses.map((address): LookupAddress => ({ address, family: 4 }))
  const patched = (name: string, ...rest: unknown[]): unknown =>
    name === NAME ? Promise.resolve(found) : Reflect.apply(lookup, dns, [name, ...rest])
  Object.assign(dns, { lookup: patched })
  return {
    name: NAME,
    [Symbol.dispose]: () => {
      Object.assign(dns, { lookup })
    },
  }
}
