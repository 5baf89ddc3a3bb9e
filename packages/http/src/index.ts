export { demandToken } from './admin-token.ts'
export type { ClusterDescription, MemberState, MetadataSyncState, SetState } from './cluster-description.ts'
export type { HttpRequest, HttpRoutes } from './app.ts'
export { startHttpServer, type HttpServer, type HttpServerOptions } from './server.ts'
export type { HttpParts } from './http-parts.ts'
export {
  followingDescription,
  replicaView,
  replicationMember,
  type FollowingDescription,
  type ReplicaView,
  type ReplicationFacts,
  type ReplicationMember,
  type ReplicationView,
} from './replication-view.ts'
