import type { Files } from '@tandemmq/base'
import type { SimulatedFiles } from '@tandemmq/testkit'

/** All files below a directory, by path. */
export type FileImage = ReadonlyMap<string, Buffer>

export function imageOf(disk: SimulatedFiles, directory: string): FileImage {
  const image = new Map<string, Buffer>()
  for (const name of disk.list(directory)) {
    const path = `${directory}/${name}`
    if (disk.tree.get(path) === 'directory') for (const entry of imageOf(disk, path)) image.set(...entry)
    else image.set(path, contentOf(disk, path))
  }
  return image
}

export function contentOf(files: Files, path: string): Buffer {
  const file = files.open(path, 'read')
  const content = Buffer.alloc(file.size())
  file.read(content, 0)
  file.close()
  return content
}

/** Puts a file where there may be one already. */
export function put(files: Files, path: string, content: Buffer): void {
  files.makeDirectory(path.slice(0, path.lastIndexOf('/')))
  files.remove(path)
  const file = files.open(path, 'create')
  file.write(content, 0)
  file.close()
}

export function restoreImage(files: Files, image: FileImage): void {
  for (const [path, content] of image) put(files, path, content)
}
