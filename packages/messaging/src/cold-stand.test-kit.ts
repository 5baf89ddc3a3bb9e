import { WatchedFiles, type WatchedRead } from '@tandemmq/testkit'
import { Stand } from './stand.test-kit.ts'

export interface ColdStand {
  readonly stand: Stand
  /** Of the commit log. */
  readonly reads: WatchedRead[]
}

/** A broker that was started again behind what `fill` has sent: nothing of it is in memory. */
export async function coldStand(fill: (stand: Stand) => Promise<void>): Promise<ColdStand> {
  const stand = new Stand()
  const reads: WatchedRead[] = []
  const onRead = (read: WatchedRead): void => {
    if (read.path.includes('/commitlog/')) reads.push(read)
  }
  stand.watched = (files) => new WatchedFiles(files, () => {}, onRead)
  await stand.boot()
  await fill(stand)
  await stand.clock.advance(10_000)
  stand.kill()
  await stand.boot()
  reads.length = 0
  return { stand, reads }
}
