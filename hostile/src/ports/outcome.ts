import type { Http2Answers } from './http2-answers.ts'
import type { RawPeer } from './raw-peer.ts'

/** Only ends a wait on a busy machine: on a quiet one an answer takes milliseconds. */
export const ANSWERED_MS = 20_000

/** What must come of a flood once it was said. */
export interface Outcome {
  readonly words: string
  /** Throws unless it comes; otherwise says what was seen. */
  seen(peer: RawPeer, answers: Http2Answers): Promise<string>
}

/** The other side ends the connection. */
export const closed: Outcome = {
  words: 'the connection is closed',
  seen: async (peer, answers) => {
    await peer.mustClose(ANSWERED_MS)
    return answers.goAway === undefined ? 'closed' : `closed with GOAWAY ${answers.goAway}`
  },
}

/** All of it is read, and the connection goes on. */
export const digested: Outcome = {
  words: 'it costs nothing: a PING behind it is answered',
  seen: async (peer, answers) => {
    const outcome = await answers.digested(ANSWERED_MS)
    if (outcome === 'late') throw new Error(`no answer to a PING within ${ANSWERED_MS} ms`)
    if (peer.isClosed) throw new Error('the connection was closed')
    return 'a PING behind it is answered'
  },
}

/** So many calls end with an error, and none with OK. */
export function refused(calls: number): Outcome {
  return {
    words: calls === 1 ? 'the call is refused' : 'each call is refused',
    seen: async (peer, answers) => {
      const outcome = await answers.refuses(calls, ANSWERED_MS)
      const seen = `${answers.refused} refused, ${answers.granted} granted${peer.isClosed ? ', then closed' : ''}`
      if (outcome === 'late' || answers.granted > 0) throw new Error(`${seen} of ${calls} calls`)
      return seen
    },
  }
}
