import type { ServiceContainer } from './service-container.ts'

/** Reads the files of the commit log one after the other, as far as byte `end`: a number of bytes, and their SHA-256. */
const SCRIPT = `
  const fs = require('fs'), hash = require('crypto').createHash('sha256')
  const end = Number(process.argv[1]), directory = '/var/lib/tandemmq/commitlog'
  let at = 0
  for (const name of fs.readdirSync(directory).filter((it) => /^\\d{20}$/.test(it)).sort()) {
    const bytes = fs.readFileSync(directory + '/' + name)
    const wanted = bytes.subarray(0, Math.max(0, end - at))
    hash.update(wanted)
    at += wanted.length
  }
  process.stdout.write(at + ' bytes ' + hash.digest('hex'))
`

/** The first `end` bytes of a broker's commit log, told by a checksum that its own container calculates. */
export function logChecksum(broker: ServiceContainer, end: number): Promise<string> {
  return broker.evaluate(SCRIPT, String(end))
}
