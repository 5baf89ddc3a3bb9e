export { ContainerCluster, type ClusterOptions } from './container-cluster.ts'
