import { expect, test } from 'vitest'
import { UnreadAnswers } from './unread-answers.ts'

function unread(): { readonly answers: UnreadAnswers; readonly cut: string[] } {
  const cut: string[] = []
  return {
    answers: new UnreadAnswers({ totalMax: 100, connectionMax: 60 }, (peer) => cut.push(peer)),
    cut,
  }
}

test('a connection with too much that it does not take is cut', () => {
  const { answers, cut } = unread()
  answers.made('a', 60)
  expect(cut).toEqual([])
  answers.made('a', 1)
  expect(cut).toEqual(['a'])
})

test('of too much in all, the one that has taken nothing for longest is cut, not the one that reads', () => {
  const { answers, cut } = unread()
  answers.made('reads', 40)
  answers.made('stuck', 40)
  answers.gone('reads', 10)
  answers.made('reads', 10)
  answers.made('new', 30)
  expect(cut).toEqual(['stuck'])
  answers.gone('stuck', 40)
  answers.made('new', 1)
  expect(cut).toEqual(['stuck'])
  answers.gone('reads', 40)
  answers.gone('new', 31)
  expect(answers.bytes).toBe(0)
})
