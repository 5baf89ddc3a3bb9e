import type { Seed } from './seed.ts'

/** Scripts that lead through the whole life of a connection: what mutations start from. */
export function scriptSeeds(): readonly Seed[] {
  // ops of ha-master: 0 connect, 1 choose, 2 hello, 4 proof, 6 report, 8 control, 10 wait, 11 append, 13 stall, 15 chunks and confirm
  const hello = [2, 0, 0, 0, 1, 1, 0]
  const joined = [0, ...hello, 4, 0, 6, 1]
  // ops of ha-slave: 0 hello, 2 answer, 5 frame, 8 heartbeat, 9 control, 11 wait, 12 hang up, 15 chunks
  const masterHello = [0, 1, 1, 0, 0, 1, 1, 0]
  const accepted = [...masterHello, 2, 2, 0, 0, 0]
  const frame = [5, 0, 1, 0, 0, 0]
  return [
    script('ha-master', 'empty-slave', 0, ...joined, 11, 1, 0, 6, 0, 10, 50, 20, 6, 0),
    script('ha-master', 'empty-slave-flush', 2, ...joined, 11, 1, 0, 8, 63, 0, 1, 0, 2, 0, 0, 0, 6, 0),
    script(
      'ha-master',
      'stalled-slave',
      0,
      ...joined,
      13,
      1,
      ...Array.from({ length: 20 }, () => [11, 255, 255]).flat(),
    ),
    script('ha-master', 'in-small-chunks', 0, 15, 3, 0, 10, ...joined, 11, 0, 9, 6, 0),
    script(
      'ha-master',
      'two-of-one-name',
      0,
      ...joined,
      0,
      1,
      1,
      2,
      0,
      0,
      0,
      1,
      2,
      0,
      4,
      0,
      10,
      100,
      20,
      6,
      0,
    ),
    script('ha-master', 'with-history', 0, 0, 2, 0, 3, 0, 0, 1, 1, 0, 4, 0, 6, 0, 11, 0, 50, 6, 0),
    // A control frame of 128 goes on with what is said of ranges and of leaving: from and to are choices among positions.
    script(
      'ha-master',
      'compared',
      0,
      ...joined,
      11,
      1,
      0,
      6,
      0,
      8,
      128,
      6,
      1,
      0,
      7,
      7,
      1,
      0,
      10,
      50,
      20,
      6,
      0,
    ),
    script('ha-master', 'leaving', 0, ...joined, 11, 1, 0, 6, 0, 8, 128, 96, 10, 50, 20, 6, 0),
    script('ha-slave', 'checked', 1, ...accepted, 9, 128, 1, 1, 0, 0, 9, 128, 1, 1, 8, 0, 11, 10, 10),
    script('ha-slave', 'mismatching', 1, ...accepted, 9, 128, 24, 1, 8, 8, 0, 9, 128, 128, 8, 0, 11, 10, 10),
    script('ha-slave', 'empty', 0, ...accepted, ...frame, 5, 0, 0, 100, 0, 0, 8, 0),
    script('ha-slave', 'with-history', 1, ...accepted, ...frame, 9, 4, 0, 0, 11, 10, 10),
    script('ha-slave', 'flushing', 2, ...accepted, ...frame, 11, 10, 10, 12),
    script('ha-slave', 'apache', 4, ...frame, 8, 0, 5, 0, 0, 9, 0, 0),
    script(
      'ha-slave',
      'cut',
      1,
      ...masterHello,
      2,
      3,
      0,
      1,
      4,
      0,
      2,
      11,
      10,
      10,
      ...masterHello,
      2,
      0,
      0,
      0,
      0,
      ...frame,
    ),
  ]
}

function script(target: string, name: string, ...bytes: readonly number[]): Seed {
  return { target, name, bytes: Buffer.from(bytes) }
}
