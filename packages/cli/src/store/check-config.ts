import { messageOf, type Files } from '@tandemmq/base'
import { parseApacheJson } from '@tandemmq/codec'
import { note, problem, type Finding } from './finding.ts'
import { StoredFile } from './stored-file.ts'

/**
 * `config/*.json` have no checksum: what is still JSON cannot be told from what was written. Apache leaves an empty file where it had nothing to say.
 */
export function* checkConfig(files: Files, root: string): Generator<Finding> {
  for (const name of files.list(`${root}/config`)) {
    if (!/\.json(\.bak)?$/.test(name)) continue
    const path = `config/${name}`
    const wrong = whyNoJson(files, `${root}/${path}`)
    if (wrong === undefined) continue
    yield name.endsWith('.bak')
      ? note(path, wrong.at, `the fallback copy cannot be used: ${wrong.why}`)
      : problem(path, wrong.at, wrong.why)
  }
  for (const name of files.list(`${root}/config`)) {
    const original = name.replace(/\.bak$/, '')
    if (!name.endsWith('.json.bak') || files.exists(`${root}/config/${original}`)) continue
    yield problem(`config/${original}`, 0, 'the file is missing; there is its fallback copy')
  }
}

/** `undefined`: it is JSON. */
export function whyNoJson(
  files: Files,
  path: string,
): { readonly at: number; readonly why: string } | undefined {
  using file = new StoredFile(files, path)
  const text = file.read(0, file.bytes).toString('utf8')
  if (text.includes('\uFFFD'))
    return { at: Buffer.byteLength(text.slice(0, text.indexOf('\uFFFD'))), why: 'no UTF-8' }
  try {
    parseApacheJson(text)
    return undefined
  } catch (failure) {
    const why = messageOf(failure)
    return { at: Number(/at character (\d+)/.exec(why)?.[1] ?? 0), why }
  }
}
