import { BrokerError, type ErrorCode } from '@tandemmq/base'
import { claim } from './claim.ts'

/** What `decode` gave, or that it refused with one of `codes`. Every other error is a finding: it passes through. */
export function attempt<T>(
  codes: readonly ErrorCode[],
  decode: () => T,
): { readonly value: T } | { readonly refusal: BrokerError } {
  try {
    return { value: decode() }
  } catch (error) {
    return { refusal: checkedRefusal(codes, error) }
  }
}

/** The refusal among what was thrown: typed, of an expected code, in words that can be printed and are not endless. */
export function checkedRefusal(codes: readonly ErrorCode[], error: unknown): BrokerError {
  if (!(error instanceof BrokerError)) throw error
  claim(codes.includes(error.code), `refused with ${error.code}: ${error.message}`)
  claim(
    error.message.length > 0 && error.message.length <= WORDS_MAX,
    `a refusal of ${error.message.length} characters`,
  )
  return error
}

/** No line of a log is longer, whatever a peer sent. */
const WORDS_MAX = 4096
