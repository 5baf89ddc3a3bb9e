import { rocketmq } from '@tandemmq/rpc'

const { Code } = rocketmq

/** Official clients make ids of about 60 characters. Each is kept for as long as its client lives. */
const CLIENT_ID_MAX = 255

/** What is wrong with a client id; undefined: nothing. */
export function wrongClientId(clientId: string): rocketmq.Status | undefined {
  if (clientId === '') return { code: Code.CLIENT_ID_REQUIRED, message: 'client id cannot be empty' }
  if (clientId.length <= CLIENT_ID_MAX) return undefined
  return { code: Code.BAD_REQUEST, message: `client id is longer than ${CLIENT_ID_MAX} characters` }
}
