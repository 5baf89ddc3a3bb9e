import { expect, test } from 'vitest'
import { play } from './token-story.test-support.ts'

test('a cold start ends with the master, at once and without a hand-back (rule 4.5)', async () => {
  expect(
    await play(
      `
      0 slave joins
      300 master joins
      9000 story ends`,
    ),
  ).toMatchInlineSnapshot(`
    "
        0 slave joins
      300 master joins
      302 master serves under #1
    "
  `)
})

test('a missing member is waited for, one lease long', async () => {
  expect(
    await play(
      `
      0 master joins
      9000 story ends`,
    ),
  ).toMatchInlineSnapshot(`
    "
        0 master joins
     2001 master serves under #1
    "
  `)
})

test('a slave alone serves after one lease', async () => {
  expect(
    await play(
      `
      0 slave joins
      9000 story ends`,
    ),
  ).toMatchInlineSnapshot(`
    "
        0 slave joins
     2002 slave serves under #1
    "
  `)
})

test('the master is killed: the slave serves within a turn', async () => {
  expect(
    await play(
      `
      0 master joins
      0 slave joins
      3000 master dies
      9000 story ends`,
    ),
  ).toMatchInlineSnapshot(`
    "
        0 master joins
        0 slave joins
        2 master serves under #1
     3000 master dies
     3002 slave serves under #2
    "
  `)
})

test('the master is killed in direct mode: the slave waits for the end of the lease (rule 4.2)', async () => {
  expect(
    await play(
      `
      0 master joins
      0 slave joins
      3000 master dies
      9000 story ends`,
      { moveOnClose: false },
    ),
  ).toMatchInlineSnapshot(`
    "
        0 master joins
        0 slave joins
        2 master serves under #1
     3000 master dies
     4504 slave serves under #2
    "
  `)
})

test('the master is stopped: it has stopped serving before the slave begins, and serves nobody when it wakes', async () => {
  expect(
    await play(
      `
      0 master joins
      0 slave joins
      3000 master freezes
      8000 master thaws
      12000 story ends`,
    ),
  ).toMatchInlineSnapshot(`
    "
        0 master joins
        0 slave joins
        2 master serves under #1
     3000 master freezes
     4504 slave serves under #2
     8000 master thaws
     8000 master stops
    "
  `)
})

test('a master that returns waits for the hand-back (rule 4.7)', async () => {
  expect(
    await play(
      `
      0 master joins
      0 slave joins
      3000 master dies
      5000 master joins
      8000 slave seals
      8050 slave releases to master
      12000 story ends`,
    ),
  ).toMatchInlineSnapshot(`
    "
        0 master joins
        0 slave joins
        2 master serves under #1
     3000 master dies
     3002 slave serves under #2
     5000 master joins
     8000 slave seals
     8000 slave stops
     8050 slave releases to master
     8052 master serves under #3
    "
  `)
})

test('a seal without a release: the slave stays, under a new epoch', async () => {
  expect(
    await play(
      `
      0 master joins
      0 slave joins
      3000 master dies
      5000 slave seals
      7000 slave stays
      12000 story ends`,
    ),
  ).toMatchInlineSnapshot(`
    "
        0 master joins
        0 slave joins
        2 master serves under #1
     3000 master dies
     3002 slave serves under #2
     5000 slave seals
     5000 slave stops
     7000 slave stays
     7002 slave serves under #3
    "
  `)
})

test('the longest log serves, of equals the lowest name (rule 4.4)', async () => {
  expect(
    await play(
      `
      0 master joins
      0 slave-1 joins to 10
      0 slave-3 joins to 20
      0 slave-2 joins to 20
      3000 master dies
      4000 slave-2 dies
      12000 story ends`,
    ),
  ).toMatchInlineSnapshot(`
    "
        0 master joins
        0 slave-1 joins to 10
        0 slave-3 joins to 20
        0 slave-2 joins to 20
        2 master serves under #1
     3000 master dies
     3002 slave-2 serves under #2
     4000 slave-2 dies
     4002 slave-3 serves under #3
    "
  `)
})

test('the registry restarts: the holder goes on under its epoch (rule 4.8)', async () => {
  expect(
    await play(
      `
      0 master joins
      0 slave joins
      3000 registry restarts
      12000 story ends`,
    ),
  ).toMatchInlineSnapshot(`
    "
        0 master joins
        0 slave joins
        2 master serves under #1
     3000 registry restarts
    "
  `)
})

test('the registry restarts while the slave serves: the token stays with the slave', async () => {
  expect(
    await play(
      `
      0 master joins
      0 slave joins
      3000 master dies
      4000 master joins
      5000 registry restarts
      12000 story ends`,
    ),
  ).toMatchInlineSnapshot(`
    "
        0 master joins
        0 slave joins
        2 master serves under #1
     3000 master dies
     3002 slave serves under #2
     4000 master joins
     5000 registry restarts
    "
  `)
})

test('a holder that loses its registration alone loses the token, where calls are stamped', async () => {
  expect(
    await play(
      `
      0 master joins
      0 slave joins
      3000 master loses contact
      9000 story ends`,
    ),
  ).toMatchInlineSnapshot(`
    "
        0 master joins
        0 slave joins
        2 master serves under #1
     3000 master loses contact
     3002 slave serves under #2
     3003 master stops
    "
  `)
})

test('the only member loses its registration and keeps the token', async () => {
  expect(
    await play(
      `
      0 master joins
      3000 master loses contact
      9000 story ends`,
    ),
  ).toMatchInlineSnapshot(`
    "
        0 master joins
     2001 master serves under #1
     3000 master loses contact
    "
  `)
})

test('nobody ever serves in an epoch that was given back', async () => {
  expect(
    await play(
      `
      0 master joins
      0 slave joins
      3000 master releases to slave
      3001 master loses contact
      9000 story ends`,
    ),
  ).toMatchInlineSnapshot(`
    "
        0 master joins
        0 slave joins
        2 master serves under #1
     3000 master releases to slave
     3000 master stops
     3001 master loses contact
     3002 slave serves under #2
    "
  `)
})
