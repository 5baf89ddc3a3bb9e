/** The longest line that is kept whole. */
const LINE_BYTES_MAX = 64 * 1024

/** Calls `take` with every line of a stream; a longer one than 64 KiB comes in pieces. */
export function splitLines(stream: NodeJS.ReadableStream, take: (line: string) => void): void {
  let rest = ''
  stream.setEncoding('utf8')
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) take(line)
    while (rest.length > LINE_BYTES_MAX) {
      take(rest.slice(0, LINE_BYTES_MAX))
      rest = rest.slice(LINE_BYTES_MAX)
    }
  })
  stream.on('end', () => {
    if (rest !== '') take(rest)
  })
}
