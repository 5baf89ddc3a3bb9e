import { closeSync, openSync, readSync, readdirSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { soundRecords } from '../log-file-records.ts'

/** Puts zeros where the last `count` records of a store's log are, as a file system shows what never got to its disk. */
export function cutLog(store: string, count: number): void {
  const records = soundRecords(store)
  const [first, last] = [records.at(-count), records.at(-1)]
  if (first === undefined || last === undefined || records.length < count) {
    throw new Error(`${store} has only ${records.length} records`)
  }
  eraseLog(store, first.physicalOffset, last.physicalOffset + last.size)
}

/** Puts zeros into a log from one offset to another, in one file. */
export function eraseLog(store: string, from: number, to: number): void {
  withFile(store, from, (file, at) => writeSync(file, Buffer.alloc(to - from), 0, to - from, at))
}

/** Flips the lowest bit of the byte at an offset of a log. */
export function flipLog(store: string, offset: number): void {
  withFile(store, offset, (file, at) => {
    const byte = Buffer.alloc(1)
    readSync(file, byte, 0, 1, at)
    writeSync(file, Buffer.from([byte.readUInt8() ^ 1]), 0, 1, at)
  })
}

/** Opens the file that holds an offset of a log. */
function withFile(store: string, offset: number, change: (file: number, at: number) => void): void {
  const directory = join(store, 'commitlog')
  const name = readdirSync(directory)
    .filter((one) => /^\d{20}$/.test(one) && Number(one) <= offset)
    .toSorted()
    .at(-1)
  if (name === undefined) throw new Error(`${store} has no file with offset ${offset}`)
  const file = openSync(join(directory, name), 'r+')
  try {
    change(file, offset - Number(name))
  } finally {
    closeSync(file)
  }
}
