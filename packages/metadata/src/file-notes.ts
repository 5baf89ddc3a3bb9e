import { FieldReader, FieldWriter } from '@tandemmq/codec'

/** The file under the name, the one that is to replace it, and some whose replacing failed: all are ours. */
const DIGESTS_MAX = 16

/**
 * The digests of what we last wrote into each config file. A note is journaled before its file is replaced, so after a
 * crash in between the file is either the last or one before, if the disk refused some: all are ours.
 */
export class FileNotes {
  readonly #digests = new Map<string, readonly string[]>()

  knows(name: string, digest: string | undefined): boolean {
    return digest !== undefined && (this.#digests.get(name) ?? []).includes(digest)
  }

  add(name: string, digest: string): void {
    this.#digests.set(name, [...(this.#digests.get(name) ?? []), digest].slice(-DIGESTS_MAX))
  }

  /** The payload of the record that says so. */
  static encode(name: string, digest: string): Buffer {
    return new FieldWriter(96).text(1, name).text(2, digest).finish()
  }

  replay(payload: Buffer): void {
    const reader = new FieldReader(payload, 'file note')
    let name = ''
    let digest = ''
    while (reader.next()) {
      if (reader.tag === 1) name = reader.text()
      if (reader.tag === 2) digest = reader.text()
    }
    this.add(name, digest)
  }

  *payloads(): Generator<Buffer> {
    for (const [name, digests] of this.#digests) {
      for (const digest of digests) yield FileNotes.encode(name, digest)
    }
  }
}
