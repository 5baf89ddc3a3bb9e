export { GrpcHandBackAround } from './grpc-hand-back-around.ts'
export { GrpcRegistryLink } from './grpc-registry-link.ts'
export { addRegistryService, type RegistryServicePorts } from './registry-service.ts'
