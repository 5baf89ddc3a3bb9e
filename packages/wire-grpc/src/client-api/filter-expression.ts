import type { FilterExpression } from '@tandemmq/messaging'
import { rocketmq } from '@tandemmq/rpc'
import { StatusError } from './status-error.ts'

const { Code, FilterType } = rocketmq

/** `*` or nothing is everything; `a || b` is either tag. Throws `StatusError`. */
export function filterExpression(filter: rocketmq.FilterExpression | undefined): FilterExpression {
  const expression = filter?.expression.trim() ?? ''
  if (filter?.type === FilterType.SQL) {
    // What a broker of Apache answers whose enablePropertyFilter is off, the default.
    throw new StatusError(
      Code.INTERNAL_SERVER_ERROR,
      "parse the consumer's subscription failed: this broker does not filter by SQL, only by tag",
    )
  }
  if (expression === '' || expression === '*') return { kind: 'all' }
  const tags = expression
    .split('||')
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '')
  if (tags.length === 0) {
    throw new StatusError(Code.ILLEGAL_FILTER_EXPRESSION, 'the filter expression names no tag')
  }
  return tags.includes('*') ? { kind: 'all' } : { kind: 'tags', tags: new Set(tags) }
}
