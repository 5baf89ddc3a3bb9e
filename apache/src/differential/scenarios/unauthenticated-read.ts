import { HaStranger } from '../ha-stranger.ts'
import type { Scenario } from '../scenario.ts'
import { trySends } from '../tries.ts'

const SENDS = 10
const LISTEN_MS = 2_000

export const unauthenticatedRead: Scenario = {
  name: 'unauthenticated-read',
  done: `${SENDS} messages; somebody connects to the HA port, sends 8 zero bytes as an empty slave does, and listens for ${LISTEN_MS / 1_000} s`,
  asked: 'no message reaches somebody who proves nothing',
  async observe(system) {
    const master = await system.startMaster()
    await trySends(master, 'Read', 'confidential', SENDS)
    await using stranger = await HaStranger.connect(master.haAddress)
    stranger.report(0)
    const isClosed = await stranger.closedWithin(LISTEN_MS)
    const { received } = stranger
    const text = received.toString('latin1')
    const seen = Array.from({ length: SENDS }, (_, index) => `confidential-${index + 1}`).filter((body) =>
      text.includes(body),
    )
    const fate = isClosed ? ', and was hung up on' : ''
    return {
      words: `the stranger got ${received.length} bytes with ${seen.length} of ${SENDS} messages${fate}`,
      holds: seen.length === 0,
      figures: { bytes: received.length, messages: seen.length, closed: isClosed ? 1 : 0 },
    }
  },
}
