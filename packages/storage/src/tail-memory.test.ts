import fc from 'fast-check'
import { expect, test } from 'vitest'
import { TailMemory } from './tail-memory.ts'

test('views of the tail are the log, stay true, and memory stays bounded', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('record' as const), size: fc.integer({ min: 1, max: 90 }) }),
    fc.record({ kind: fc.constant('raw' as const), size: fc.integer({ min: 1, max: 90 }) }),
    fc.record({ kind: fc.constant('abandoned' as const), size: fc.integer({ min: 1, max: 90 }) }),
    fc.record({ kind: fc.constant('jump' as const), size: fc.integer({ min: 1, max: 50 }) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const tail = new TailMemory(256, 64)
      let log = Buffer.alloc(0)
      const held: { readonly view: Buffer; readonly copy: Buffer }[] = []
      let value = 0
      for (const { kind, size } of steps) {
        value = (value + 1) % 256
        const bytes = Buffer.alloc(size, kind === 'jump' ? 0 : value)
        if (kind === 'record' || kind === 'abandoned') {
          const room = tail.room(log.length, size)
          room.bytes.set(bytes, room.at)
          if (kind === 'abandoned') continue
          tail.keep(size)
        } else if (kind === 'raw') tail.copy(log.length, bytes)
        log = Buffer.concat([log, bytes])
        if (kind === 'jump') continue
        const newest = tail.view(log.length - size, size)
        expect(
          newest !== undefined &&
            newest.equals(log.subarray(log.length - size, log.length - size + newest.length)),
        ).toBe(true)
        for (let at = 0; at < log.length; at += 7) {
          const view = tail.view(at, 40)
          if (view === undefined) continue
          expect(view.equals(log.subarray(at, at + view.length))).toBe(true)
          if (at % 5 === 0) held.push({ view, copy: Buffer.from(view) })
        }
      }
      for (const { view, copy } of held) expect(view.equals(copy)).toBe(true)
      if (log.length > 1000) expect(tail.view(0, 1)).toBeUndefined()
    }),
  )
})
