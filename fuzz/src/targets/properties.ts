import { decodeProperties, encodeProperties, indexKeysOf, propertyOf } from '@tandemmq/codec'
import { claim, claimSame } from '../engine/claim.ts'
import type { Target } from '../target.ts'

/** The properties of a message, as one text. */
export const properties: Target = {
  name: 'properties',
  holds:
    'never throws; one property read alone is what the map has; what the map has encodes to a text that decodes to the same map',
  run(input) {
    const text = input.toString('utf8')
    const map = decodeProperties(text)
    for (const name of [...map.keys()].slice(0, 20)) {
      claim(
        propertyOf(text, name) === map.get(name),
        `one property and the map differ for ${JSON.stringify(name)}`,
      )
    }
    claim(propertyOf(text, '__proto__') === map.get('__proto__'), 'no name is special')
    claim(propertyOf(text, '') === undefined, 'no pair has an empty name')
    // A value may keep a separator that no writer of ours would put there.
    const written = new Map([...map].filter(([, value]) => !value.includes('\u0001')))
    const again = encodeProperties(written)
    claimSame(decodeProperties(again), written, 'the same map comes back')
    claim(again.length <= text.length + 1, 'what was read takes no more room than it had')
    indexKeysOf('T', text)
    return map.size > 0 ? 'taken' : 'refused'
  },
}
