import type { Logger } from '@tandemmq/base'
import type { HangUp } from './master-state.ts'

/** Nothing is wrong: it comes again by itself, or has. */
const ORDINARY = new Set(['replaced', 'epoch-opened', 'tail-borrowed'])

/** Tells an operator in one line whom a master has hung up on, and why. `identity`: absent before a hello. */
export function tellHangUp(
  logger: Logger,
  slave: { readonly peer: string; readonly identity: string | undefined },
  { refusal, manner }: Omit<HangUp, 'kind'>,
): void {
  const facts = { ...slave, reason: refusal.reason, words: refusal.words }
  if (refusal.reason === 'not-ready') logger.debug(facts, 'a slave is asked to come again')
  else if (manner === 'told') logger.warn(facts, 'slave not accepted')
  else if (slave.identity === undefined) logger.warn(facts, 'somebody who is no slave was hung up on')
  else if (manner === 'silent')
    logger[ORDINARY.has(refusal.reason) ? 'info' : 'warn'](facts, 'slave hung up on')
  else logger.warn(facts, 'slave broke the protocol')
}
