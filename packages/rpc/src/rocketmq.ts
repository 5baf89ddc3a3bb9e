export * from './gen/apache/rocketmq/v2/definition.ts'
export * from './gen/apache/rocketmq/v2/service.ts'
