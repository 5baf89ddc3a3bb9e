import { expect, test } from 'vitest'
import { play } from './token-story.test-support.ts'

test('the registry stands still and the slave cannot be asked: the holder stops in time and goes on under a new epoch', async () => {
  expect(
    await play(
      `
      0 master joins
      0 slave joins
      2000 they part
      3000 registry stands still
      7000 registry goes on
      14000 story ends`,
    ),
  ).toMatchInlineSnapshot(`
    "
        0 master joins
        0 slave joins
        2 master serves under #1
     2000 they part
     3000 registry stands still
     4302 master stops
     7000 registry goes on
     7001 master serves under #2
    "
  `)
})

test('the registry stands still: the holder serves on while its slave promises to leave the token to it (rule 4.6)', async () => {
  expect(
    await play(
      `
      0 master joins
      0 slave joins
      3000 registry stands still
      60000 they part
      70000 registry goes on
      80000 story ends`,
    ),
  ).toMatchInlineSnapshot(`
    "
        0 master joins
        0 slave joins
        2 master serves under #1
     3000 registry stands still
    60000 they part
    61704 master stops
    70000 registry goes on
    70001 slave serves under #2
    "
  `)
})

test('one of two slaves does not promise: the lease ends (rule 4.6)', async () => {
  expect(
    await play(
      `
      0 master joins
      0 slave-1 joins
      0 slave-2 joins
      2000 slave-2 dies
      3000 registry stands still
      14000 story ends`,
    ),
  ).toMatchInlineSnapshot(`
    "
        0 master joins
        0 slave-1 joins
        0 slave-2 joins
        2 master serves under #1
     2000 slave-2 dies
     3000 registry stands still
     4302 master stops
    "
  `)
})

test('a slave that has promised takes no grant before its promise is over, not even in a new process (rule 4.6)', async () => {
  expect(
    await play(
      `
      0 master joins
      0 slave joins
      3000 registry stands still
      9000 slave dies
      9001 slave joins
      9002 master loses contact
      9003 master dies
      9500 registry goes on
      14000 story ends`,
    ),
  ).toMatchInlineSnapshot(`
    "
        0 master joins
        0 slave joins
        2 master serves under #1
     3000 registry stands still
     9000 slave dies
     9001 slave joins
     9002 master loses contact
     9003 master dies
     9500 registry goes on
    11003 slave serves under #2
    "
  `)
})
