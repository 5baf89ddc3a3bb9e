import { LocalCluster } from '@tandemmq/interop'
import type { Matrix } from '../matrix.ts'

/** Everything a peer can do to a port of the running services. */
export async function ports(matrix: Matrix): Promise<void> {
  await using cluster = await LocalCluster.start()
  await matrix.row(
    { target: 'metadata-rpc HTTP', attack: 'none', expected: 'ready' },
    async () => `${(await cluster.api.fetch('/readyz')).status}`,
  )
}
