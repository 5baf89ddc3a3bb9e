import { unreachable } from '@tandemmq/base'
import { encodeHandshake, encodeHello, encodeProof } from '@tandemmq/codec'
import type { Answer, ChecksummedRange, Hello, LogRange } from '@tandemmq/codec'
import { continuedLineage, isPrefixOf, refusalOfOrder } from './alignment.ts'
import { proofOf, proves, whyUnproven } from './authentication.ts'
import { introduction, refusalOf } from './ha-member.ts'
import { startLending } from './slave-lending.ts'
import { leave, parting } from './slave-parting.ts'
import type { LogView } from './replicated-log.ts'
import type {
  Attempt,
  Greeting,
  SlaveConfig,
  SlaveContext,
  SlaveEvent,
  SlaveState,
  SlaveStep,
} from './slave-state.ts'

type Proving = Extract<SlaveState, { kind: 'proving' }>

/** The longest range a master may ask us to checksum: a question costs it nothing. */
const COMPARED_BYTES_MAX = 1024 * 1024

/** Connected: say who we are and what we hold. */
export function greet(
  attempt: Attempt,
  event: { readonly nonce: Buffer; readonly wallClock: number },
  now: number,
  { config, view }: SlaveContext,
): SlaveStep {
  const log = view()
  const hello: Hello = {
    ...introduction(config, log, event),
    role: 'slave',
    flush: config.flush,
    ...(log.lineage === undefined ? {} : { lineage: log.lineage }),
  }
  const signed = encodeHello(hello)
  return {
    state: { kind: 'greeting', ...attempt, since: now, signed },
    effects: [{ kind: 'say-hello', bytes: encodeHandshake('slave-hello', signed) }],
  }
}

/** The master has introduced itself: check that it is ours, prove that we are its. */
export function onMasterHello(
  state: Greeting,
  { received, wallClock, certificate }: Extract<SlaveEvent, { kind: 'master-hello' }>,
  { config, view, followed }: SlaveContext,
): SlaveStep {
  const log = view()
  const { hello, signed } = received
  const secret = config.secret
  const expected = secret === undefined ? undefined : proofOf(secret, 'master', state.signed, signed)
  if (hello.role !== 'master') return parting(state, { reason: 'wrong-role', words: 'two slaves met' })
  const refusal = refusalOf(config, log.segmentBytes, hello, certificate)
  if (refusal !== undefined) return parting(state, refusal)
  if (!proves(received.mac, expected)) {
    return parting(state, whyUnproven(received.mac, expected, `master "${hello.identity}"`))
  }
  const known = followed() ?? hello.identity
  if (hello.identity !== known) {
    const words = `this slave follows master "${known}" and refuses "${hello.identity}" as a second one: restart it if that one has taken over for good`
    return parting(state, { reason: 'another-master', words })
  }
  const compared = comparedWith(log, hello.compare)
  if (compared === 'unanswerable') {
    return parting(state, {
      reason: 'not-compared',
      words: 'the master asks for bytes that this slave does not hold',
    })
  }
  const mac = secret === undefined ? undefined : proofOf(secret, 'slave', state.signed, signed)
  const proof = { ...(mac === undefined ? {} : { mac }), ...(compared === undefined ? {} : { compared }) }
  const { failures, since, trouble } = state
  return {
    state: {
      kind: 'proving',
      failures,
      since,
      signed: state.signed,
      ...(trouble === undefined ? {} : { trouble }),
      masterIdentity: hello.identity,
      aheadMs: hello.wallClock - wallClock,
    },
    effects: [{ kind: 'prove', bytes: encodeHandshake('proof', encodeProof(proof)) }],
  }
}

/** The master's answer to our proof. */
export function onAnswer(state: Proving, answer: Answer, now: number, context: SlaveContext): SlaveStep {
  const { failures } = state
  const log = context.view()
  switch (answer.kind) {
    case 'accept': {
      if (log.begin !== log.end && answer.at !== log.end) {
        return parting(state, {
          reason: 'wrong-start',
          words: `the master goes on at ${answer.at}, our log ends at ${log.end}`,
        })
      }
      if (log.begin === log.end && answer.at !== log.end && answer.at % log.segmentBytes !== 0) {
        return parting(state, {
          reason: 'wrong-start',
          words: `the master begins at ${answer.at}, which is no start of a segment`,
        })
      }
      const lineage = continuedLineage(log.lineage, answer.lineage)
      return {
        state: {
          kind: 'adopting',
          failures,
          masterIdentity: state.masterIdentity,
          at: answer.at,
          flushFirst: answer.flushRequired || context.config.flush === 'always',
          counted: answer.counted,
          isOrphan: false,
        },
        effects: [{ kind: 'adopt', lineage, at: answer.at }],
      }
    }
    case 'truncate':
    case 'start-over': {
      const refusal = refusalOfOrder(log, answer)
      if (refusal !== undefined) return parting(state, refusal)
      const words =
        answer.kind === 'truncate' ? `cutting our log to ${answer.at}` : `starting over at ${answer.at}`
      const trouble = { reason: answer.kind, words: `${words} on order of master "${state.masterIdentity}"` }
      return {
        state: { kind: 'cutting', failures, trouble, order: answer.kind, at: answer.at },
        effects: [
          { kind: 'hang-up', refusal: trouble, manner: 'silent' },
          answer.kind === 'truncate'
            ? { kind: 'cut', at: answer.at }
            : { kind: 'cut', at: log.begin, isCommon: isPrefixOf(log, answer.lineage) },
        ],
      }
    }
    case 'lend':
      return startLending(state, answer.at, now, context)
    case 'wait':
      return leave(state, answer.refusal, 'back-off')
    case 'refuse':
      return leave(state, answer.refusal, 'slowly')
    default:
      return unreachable(answer)
  }
}

/** An answer in place of a hello: the master will not even introduce itself. It has proven nothing, so it orders nothing. */
export function onEarlyAnswer(state: Greeting, answer: Answer): SlaveStep {
  switch (answer.kind) {
    case 'wait':
      return leave(state, answer.refusal, 'back-off')
    case 'refuse':
      return leave(state, answer.refusal, 'slowly')
    case 'accept':
    case 'lend':
    case 'truncate':
    case 'start-over':
      return parting(state, {
        reason: 'violation',
        words: 'the master gives orders before it has said who it is',
      })
    default:
      return unreachable(answer)
  }
}

/** The state in which a stream starts; `at` is what we report first. */
export function streamFrom(
  at: number | 'any',
  attempt: Attempt,
  now: number,
  config: SlaveConfig,
  terms: { readonly flushFirst: boolean; readonly counted: boolean; readonly masterIdentity?: string },
): SlaveStep {
  const first = at === 'any' ? 0 : at
  return {
    state: {
      kind: 'streaming',
      failures: attempt.failures,
      since: now,
      from: first,
      next: at,
      bodyLeft: 0,
      reported: terms.flushFirst ? undefined : first,
      timings: config.timings,
      heardAt: now,
      spokeAt: now,
      ...terms,
    },
    effects: [terms.flushFirst ? { kind: 'flush' } : { kind: 'report', position: first }],
  }
}

function comparedWith(
  log: LogView,
  range: LogRange | undefined,
): ChecksummedRange | 'unanswerable' | undefined {
  if (range === undefined) return undefined
  const { from, to } = range
  if (from < log.begin || to > log.end || to - from > COMPARED_BYTES_MAX) return 'unanswerable'
  return { from, to, crc: log.checksum(from, to) }
}
