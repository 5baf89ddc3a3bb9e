import { Metadata } from '@grpc/grpc-js'
import { SimulatedClock, SeededRandom } from '@tandemmq/testkit'
import { expect, test } from 'vitest'
import { SetSecret, SetSecretGuard, TOKEN_WINDOW_MS } from './set-secret.ts'

const key = Buffer.from('the secret of the set')

function both(guardKey: Buffer | undefined = key, callerKey: Buffer | undefined = key) {
  const callerClock = new SimulatedClock()
  const clock = new SimulatedClock()
  const secret = new SetSecret(callerKey, 'a-slave', { clock: callerClock, random: new SeededRandom(1) })
  return { secret, guard: new SetSecretGuard(guardKey, { clock }), clock, callerClock }
}

test('a token is good once, for its purpose, and names its caller', () => {
  const { secret, guard } = both()
  const { metadata, checkProof } = secret.sign('registry')
  expect(() => guard.check('forward', metadata)).toThrow(
    'the token of this call is for registry, not for forward',
  )
  const caller = guard.check('registry', metadata)
  expect(caller.identity).toBe('a-slave')
  checkProof(caller.proof)
  expect(() => guard.check('registry', metadata)).toThrow('the token of a-slave was used before')
})

test('the secret itself never travels', () => {
  const { secret, guard } = both()
  const { metadata } = secret.sign('registry')
  const wire = JSON.stringify([metadata, guard.check('registry', metadata).proof])
  expect(wire).not.toContain(key.toString())
  expect(wire).not.toContain(key.toString('hex'))
  expect(wire).not.toContain(key.toString('base64'))
})

test('a token that was touched anywhere is refused', () => {
  const { secret, guard } = both()
  const token = String(secret.sign('registry').metadata.get('tandemmq-auth')[0])
  for (let at = 0; at < token.length; at++) {
    const touched = new Metadata()
    touched.set('tandemmq-auth', token.slice(0, at) + (token[at] === '0' ? '1' : '0') + token.slice(at + 1))
    expect(() => guard.check('registry', touched), `character ${at}`).toThrow()
  }
  expect(() => guard.check('registry', new Metadata())).toThrow('this call carries no token of the set')
})

test('a token from another time is refused with the difference', () => {
  const { secret, guard, callerClock } = both()
  callerClock.skew(TOKEN_WINDOW_MS + 5000)
  expect(() => guard.check('registry', secret.sign('registry').metadata)).toThrow(
    'the clock of a-slave differs from ours by 35 s; 30 s are allowed',
  )
})

test('a token cannot be used again at any time of its life, and nonces do not pile up', async () => {
  const { secret, guard, clock, callerClock } = both()
  callerClock.skew(TOKEN_WINDOW_MS) // As far ahead as is allowed, so that it lives longest.
  const { metadata } = secret.sign('registry')
  guard.check('registry', metadata)
  for (let elapsedMs = 0; elapsedMs < 3 * TOKEN_WINDOW_MS; elapsedMs += 10_000) {
    await clock.advance(10_000)
    await callerClock.advance(10_000)
    guard.check('registry', secret.sign('registry').metadata)
    expect(() => guard.check('registry', metadata)).toThrow()
  }
})

test('without a secret anybody may call, but a caller with one wants it proven', () => {
  const open = both(undefined, undefined)
  expect(
    new SetSecretGuard(undefined, { clock: open.clock }).check(
      'registry',
      open.secret.sign('registry').metadata,
    ).identity,
  ).toBe('a-slave')
  const { checkProof } = both().secret.sign('registry')
  expect(() => checkProof(new Metadata())).toThrow('the peer does not know the secret of this set')
})
