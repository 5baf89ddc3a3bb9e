export { ForwardChannels } from './forward-channels.ts'
export { type ForwardOptions, type ForwardPorts } from './forward-channel.ts'
export { addForwardService, type ForwardServiceOptions, type ForwardServicePorts } from './forward-service.ts'
export { MESSAGE_BODY_BYTES_MAX } from './forward-method.ts'
