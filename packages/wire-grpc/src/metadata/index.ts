export { GrpcMetadataClient } from './grpc-metadata-client.ts'
export type { GroupWish, MetadataAdmin, TopicWish } from './metadata-admin.ts'
export type { MetadataProvider } from './metadata-provider.ts'
export { addMetadataService } from './metadata-service.ts'
