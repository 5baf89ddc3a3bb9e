import { rocketmq } from '@tandemmq/rpc'

/** A request that is answered with this status and text: what the client has to correct. */
export class StatusError extends Error {
  override readonly name = 'StatusError'
  readonly code: rocketmq.Code

  constructor(code: rocketmq.Code, message: string) {
    super(message)
    this.code = code
  }
}

/** The status of success, as Apache words it. */
export const okStatus: rocketmq.Status = { code: rocketmq.Code.OK, message: 'OK' }
