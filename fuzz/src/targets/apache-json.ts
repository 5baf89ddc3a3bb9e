import { formatApacheJson, formatCompactJson, parseApacheJson } from '@tandemmq/codec'
import { claim, claimSame } from '../engine/claim.ts'
import { attempt } from '../engine/refusal.ts'
import type { Target } from '../target.ts'

/** The JSON of Apache's config files, whose integer keys stand without quotes. */
export const apacheJson: Target = {
  name: 'apache-json',
  holds:
    'refused with CONFIG_INVALID and the place, or a value that is written and read back the same; no prototype is ever touched',
  run(input) {
    const text = input.toString('utf8')
    const parsed = attempt(['CONFIG_INVALID'], () => parseApacheJson(text))
    claim(!('polluted' in {}), 'the prototype of objects is as it was')
    if ('refusal' in parsed) {
      const at = parsed.refusal.facts['at']
      claim(typeof at === 'number' && at >= 0 && at <= text.length, `the place is ${String(at)}`)
      return 'refused'
    }
    claimSame(parseApacheJson(formatApacheJson(parsed.value)), parsed.value, 'the same value comes back')
    claimSame(
      parseApacheJson(formatCompactJson(parsed.value)),
      parsed.value,
      'the same value comes back compact',
    )
    return 'taken'
  },
}
