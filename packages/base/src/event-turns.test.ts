import { expect, test } from 'vitest'
import { EventTurns } from './index.ts'

test('an event that handling another one causes comes after it, and what was asked for after all comes last, once', () => {
  const said: string[] = []
  const turns = new EventTurns<string>(
    (event) => {
      said.push(`${event} begins`)
      if (event === 'first') turns.take('caused')
      said.push(`${event} ends`)
    },
    () => said.push('settled'),
  )
  turns.take('first')
  expect(said).toEqual(['first begins', 'first ends', 'caused begins', 'caused ends', 'settled'])
})

test('what fails in one event does not hold up those after it', () => {
  const handled: string[] = []
  const turns = new EventTurns<string>(
    (event) => {
      if (event === 'bad') throw new Error('bad')
      handled.push(event)
    },
    () => undefined,
  )
  expect(() => turns.take('bad')).toThrow('bad')
  turns.take('good')
  expect(handled).toEqual(['good'])
})
