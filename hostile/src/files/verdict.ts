import { BrokerError, messageOf } from '@tandemmq/base'
import type { RecordingLogger } from '@tandemmq/testkit'
import type { BrokerStores } from './broker-stores.ts'
import { knowledgeOf, UNREADABLE, type Knowledge } from './knowledge.ts'

/**
 * What came of a damage:
 * `whole`: everything is known as before; `told`: something is not as before, and the log of the process names it;
 * `unreadable`: a message cannot be read and says so to whoever reads it, all others are as before; `refused`: the start is refused with a typed error that
 * names the file.
 */
export type Verdict = 'whole' | 'told' | 'unreadable' | 'refused'

const TYPED: ReadonlySet<string> = new Set([
  'STATE_FILE_CORRUPT',
  'STORE_FOREIGN',
  'LOG_CORRUPT',
  'DISK_FULL',
  'UNAVAILABLE',
])

/** Lines of the log that tell an operator that something of a file is used otherwise than it was written. */
const TELLING = [
  'an edited config file was taken over',
  'an entry of a config file is kept but not used',
  'a state file is damaged; its fallback copy is used, which is older',
  'the journal lacks its end: what was acknowledged last is delivered again',
  'the journal has a torn tail, which was never promised',
]

/** The verdict on a start; throws, saying why, for one that must not be: an untyped error, a silent loss, a wrong body. */
export async function verdictOf(
  file: string,
  before: Knowledge,
  logger: RecordingLogger,
  start: () => Promise<BrokerStores>,
): Promise<Verdict> {
  let stores: BrokerStores
  try {
    stores = await start()
  } catch (failure) {
    const name = file.slice(file.lastIndexOf('/') + 1).replace(/\.bak$/, '')
    if (!(failure instanceof BrokerError) || !TYPED.has(failure.code)) {
      throw new Error(`${file}: the start fails without a typed error: ${messageOf(failure)}`, {
        cause: failure,
      })
    }
    if (!failure.message.includes(name)) {
      throw new Error(`${file}: the error does not name the file: ${failure.message}`, { cause: failure })
    }
    return 'refused'
  }
  return compared(file, before, knowledgeOf(stores), logger, stores.store.recovery.lossPossible)
}

function compared(
  file: string,
  before: Knowledge,
  after: Knowledge,
  logger: RecordingLogger,
  lossPossible: boolean,
): Verdict {
  if (JSON.stringify(before) === JSON.stringify(after)) return 'whole'
  const { bodies, ...rest } = after
  const { bodies: bodiesBefore, ...restBefore } = before
  const unreadable = bodies.filter((body, index) => body !== bodiesBefore[index])
  const isTold = logger.messages('warn').some((line) => TELLING.includes(line)) || lossPossible
  if (unreadable.some((body) => !body.endsWith(UNREADABLE)) || bodies.length !== bodiesBefore.length) {
    // Fewer messages are a loss that the store itself must have found out.
    const isPrefix = bodies.every((body) => bodiesBefore.includes(body))
    if (!lossPossible || !isPrefix)
      throw new Error(
        `${file}: other messages than before: ${unreadable.slice(0, 3).join('; ')} (${unreadable.length})`,
      )
  }
  const isOther = JSON.stringify(rest) !== JSON.stringify(restBefore)
  if (isOther && !isTold) {
    throw new Error(
      `${file}: nobody is told of ${JSON.stringify(rest)} instead of ${JSON.stringify(restBefore)}`,
    )
  }
  return isOther || lossPossible ? 'told' : 'unreadable'
}
