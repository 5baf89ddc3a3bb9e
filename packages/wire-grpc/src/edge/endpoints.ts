import { isIP } from 'node:net'
import { splitAddress } from '@tandemmq/base'
import { rocketmq } from '@tandemmq/rpc'

const { AddressScheme } = rocketmq

/**
 * Which address a route names for a set. Behind a gateway: exactly what the client itself asked, which works through every address
 * translation. In direct mode: the broker's own.
 */
export type AdvertisedEndpoints = (set: string, asked: rocketmq.Endpoints | undefined) => rocketmq.Endpoints

/** The client's own words. */
export const echoedEndpoints: AdvertisedEndpoints = (_set, asked) =>
  asked ?? { scheme: AddressScheme.IPv4, addresses: [] }

/** One address, with the scheme that its text has: the only form that every official client can use. */
export function endpointsOf(grpcAddress: string): rocketmq.Endpoints {
  const { host, port } = splitAddress(grpcAddress)
  const version = isIP(host)
  const scheme =
    version === 4 ? AddressScheme.IPv4 : version === 6 ? AddressScheme.IPv6 : AddressScheme.DOMAIN_NAME
  return { scheme, addresses: [{ host, port }] }
}
