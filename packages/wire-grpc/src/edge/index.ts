export { ClientEdge, type ClientEdgeParts } from './client-edge.ts'
export { clientService, type ClientService } from './client-service.ts'
export { echoedEndpoints, endpointsOf, type AdvertisedEndpoints } from './endpoints.ts'
export type { GroupTraits, RouteCatalog, TopicKind, TopicPlacement } from './route-catalog.ts'
