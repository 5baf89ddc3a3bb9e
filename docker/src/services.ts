/** The services that have an image, each under its own name. */
export const SERVICES = ['metadata-rpc', 'broker-master', 'broker-slave'] as const
