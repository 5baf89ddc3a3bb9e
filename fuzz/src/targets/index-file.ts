import { indexFileBytes, indexSource, putIndexKey, queryIndex } from '@tandemmq/codec'
import { claim } from '../engine/claim.ts'
import { attempt } from '../engine/refusal.ts'
import type { Target } from '../target.ts'

/** As in test/golden. */
const GEOMETRY = { slots: 100, entries: 120 }

/** A whole index file: chains of entries that a damaged disk may tie into anything. */
export const indexFile: Target = {
  name: 'index-file',
  holds:
    'refused with STATE_FILE_CORRUPT, or every query ends with no more than was asked for, and a key that is put can be found',
  run(input) {
    const raw = attempt(['STATE_FILE_CORRUPT'], () => indexSource(input, GEOMETRY))
    const whole = Buffer.alloc(indexFileBytes(GEOMETRY))
    input.copy(whole)
    const padded = attempt(['STATE_FILE_CORRUPT'], () => indexSource(whole, GEOMETRY))
    if ('refusal' in padded) return 'refused'
    let hits = 0
    for (let keyHash = 0; keyHash < GEOMETRY.slots; keyHash += 1) {
      const query = { keyHash, begin: 0, end: Number.MAX_SAFE_INTEGER, max: 32 }
      const found = queryIndex(padded.value, query)
      claim(found.length <= query.max, 'no more than asked for')
      claim(
        found.every((offset) => offset >= 0),
        'only positions',
      )
      hits += found.length
    }
    const key = { keyHash: 7, offset: 4096, storeTimestamp: 1_735_689_600_000 }
    if (putIndexKey(whole, GEOMETRY, key)) {
      const source = indexSource(whole, GEOMETRY)
      const begin = Number.MIN_SAFE_INTEGER
      const found = queryIndex(source, { keyHash: 7, begin, end: Number.MAX_SAFE_INTEGER, max: 32 })
      claim(found[0] === key.offset, 'the newest key is found first')
    }
    return 'value' in raw || hits > 0 ? 'taken' : 'refused'
  },
}
