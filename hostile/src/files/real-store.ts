import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { silentMeter } from '@tandemmq/base'
import { NodeClock, NodeFiles, NodeRandom } from '@tandemmq/platform-node'
import { RecordingLogger } from '@tandemmq/testkit'
import { openStores, ROOT, type BrokerStores } from './broker-stores.ts'
import type { FileImage } from './file-image.ts'

/** The stores of a broker in a directory of this machine. */
export class RealStore implements AsyncDisposable {
  readonly root = mkdtempSync(join(tmpdir(), 'tandemmq-hostile-'))
  readonly logger = new RecordingLogger()
  #opened: BrokerStores | undefined

  constructor(image: FileImage) {
    for (const [path, content] of image) {
      const at = this.path(path)
      mkdirSync(dirname(at), { recursive: true })
      writeFileSync(at, content)
    }
  }

  /** Where a file of the image lies. */
  path(inImage: string): string {
    return join(this.root, inImage.slice(ROOT.length))
  }

  async open(): Promise<BrokerStores> {
    const ports = { files: new NodeFiles(), clock: new NodeClock(), random: new NodeRandom() }
    this.#opened = await openStores(
      { root: this.root },
      { ...ports, logger: this.logger, meter: silentMeter },
    )
    return this.#opened
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened?.metadata.close()
    await this.#opened?.store.close()
    rmSync(this.root, { recursive: true, force: true })
  }
}
