/** The client API of Apache RocketMQ 5, `apache.rocketmq.v2`: messages, codes and the MessagingService definition. */
export * as rocketmq from './rocketmq.ts'
/** Brokers register, renew the serving token and learn who else is there. */
export * as registry from './gen/tandemmq/v1/registry.ts'
/** Topics, groups and progress between brokers, and their administration. */
export * as metadata from './gen/tandemmq/v1/metadata.ts'
/** Client calls from a gateway to a broker, many on one stream. */
export * as forward from './gen/tandemmq/v1/forward.ts'
export type { Duration } from './gen/google/protobuf/duration.ts'
