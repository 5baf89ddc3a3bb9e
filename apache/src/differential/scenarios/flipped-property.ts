import { messageOf } from '@tandemmq/base'
import { readLogFiles } from '../../log-file-records.ts'
import { flipLog } from '../log-damage.ts'
import type { Observation, Scenario } from '../scenario.ts'
import type { Broker, Keys, System } from '../system.ts'

const TOPIC = 'Flipped'
const SENDS = 10
const AMOUNT = '1000'

/** Records that end with a checksum over all of them. */
export const flippedProperty = flippedPropertyWith('flipped-property', { enabledAppendPropCRC: true })

/** The same, and Apache told to believe that checksum alone. To ours that key is unknown, and nothing else. */
export const flippedPropertyForced = flippedPropertyWith('flipped-property-forced', {
  enabledAppendPropCRC: true,
  forceVerifyPropCRC: true,
})

function flippedPropertyWith(name: string, keys: Keys): Scenario {
  const settings = Object.keys(keys).join(' and ')
  return {
    name,
    done: `${settings} on: ${SENDS} messages with a property amount=${AMOUNT}; the broker is stopped, one bit of one amount flips on its disk, it starts`,
    asked: 'nobody is given a changed message, and no other is lost',
    observe: (system) => observe(system, keys),
  }
}

async function observe(system: System, keys: Keys): Promise<Observation> {
  const first = await system.startMaster({ keys })
  for (let n = 1; n <= SENDS; n += 1) {
    await first.send(TOPIC, { body: `paid-${n}`, properties: { amount: AMOUNT } })
  }
  await first.stop()
  flipAmount(system.masterStore)
  const { bytes } = readLogFiles(system.masterStore)
  let second: Broker
  try {
    second = await system.startMaster({ keys })
  } catch (failure) {
    const isUntouched = readLogFiles(system.masterStore).bytes.equals(bytes)
    const [why] = /the commit log is damaged at \d+/.exec(messageOf(failure)) ?? []
    const words = why === undefined ? 'for another reason' : `("${why}")`
    return {
      words: `it refuses to start ${words} and leaves the log ${isUntouched ? 'as it is' : 'CHANGED'}`,
      holds: isUntouched && why !== undefined,
      figures: { right: 0, changed: 0, started: 0 },
    }
  }
  const messages = await second.read(TOPIC)
  const right = messages.filter(({ properties = {} }) => properties['amount'] === AMOUNT).length
  const changed = messages.length - right
  return {
    words: `${right} of ${SENDS} messages are delivered as they were sent, ${changed} with another amount, ${SENDS - messages.length} are gone`,
    holds: changed === 0 && right >= SENDS - 1,
    figures: { right, changed, started: 1 },
  }
}

/** The lowest bit of the amount's first digit, in the message in the middle. */
function flipAmount(store: string): void {
  const { begin, bytes } = readLogFiles(store)
  const body = bytes.indexOf(`paid-${SENDS >> 1}`)
  const value = bytes.indexOf(`amount\u0001${AMOUNT}`, body)
  if (body < 0 || value < 0) throw new Error('the message is not in the log')
  flipLog(store, begin + value + 'amount\u0001'.length)
}
