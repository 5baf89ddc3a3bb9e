import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Clients } from './clients.ts'
import { LocalCluster } from './local-cluster.ts'
import { LoneService } from './lone-service.ts'
import { oneName } from './one-name.ts'
import { until } from './until.ts'
import { LATE, Workload } from './workload.ts'

const TOPIC = 'Gateways'
/** Sends, and acknowledgements, that may be answered too late on a loaded machine; 0 on a quiet one. */
const LATE_MAX = 2

test('one name, two gateways: no receive fails and no send is refused while either of them restarts, nor when the grantor dies under clients of the other, nor when another with an empty directory takes its place (rule 4.8)', async () => {
  await using cluster = await LocalCluster.start()
  await using second = await Relay.start(cluster, '127.0.0.2')
  using gateways = oneName(['127.0.0.1', '127.0.0.2'])
  await using clients = new Clients({ endpoints: `${gateways.name}:${portOf(cluster.endpoints)}` })
  const work = new Workload(TOPIC)
  const producer = await clients.producer(TOPIC)
  const sending = work.keepSending(producer)
  const consumer = await clients.simple('gateways', TOPIC)
  // An exception in a receive ends `reached`.
  void work.keepConsuming(consumer, LATE_MAX)
  const goesOn = async (): Promise<void> => {
    const { accepted, consumed } = work
    await work.reached(() => work.accepted >= accepted + 100 && work.consumed >= consumed + 100)
  }

  await goesOn()
  await cluster.end('metadata-rpc', 'SIGTERM')
  await cluster.restart('metadata-rpc')
  await second.hears()
  await goesOn()

  // Clients are at the relay now.
  await cluster.end('metadata-rpc')
  await cluster.restart('metadata-rpc')
  await second.hears()
  await goesOn()

  // The machine of the grantor is lost, with its disk.
  await cluster.end('metadata-rpc')
  await cluster.restart('metadata-rpc', [`storePathRootDir=${join(cluster.data, 'elsewhere')}`])
  await second.hears()
  await goesOn()

  expect(await second.service.stop()).toBe(0)
  await goesOn()
  work.stopSending()
  await sending
  await work.reached(() => work.ledger.isComplete)
  work.stopConsuming()
  const late = work.sendFailures.filter(({ message }) => LATE.test(message))
  expect(late.length, String(late)).toBeLessThanOrEqual(LATE_MAX)
  expect(work.sendFailures.filter((failure) => !late.includes(failure))).toEqual([])
  expect(work.repeats).toEqual([])
})

/** A second metadata-rpc beside a cluster, on the same port of another address of this machine. */
class Relay implements AsyncDisposable {
  readonly service: LoneService
  readonly #http: string

  private constructor(service: LoneService, http: string) {
    this.service = service
    this.#http = http
  }

  static async start(cluster: LocalCluster, listenAddress: string): Promise<Relay> {
    const service = LoneService.start(
      'metadata-rpc',
      `grantorAddress=${cluster.endpoints}`,
      `listenAddress=${listenAddress}`,
      `grpcPort=${portOf(cluster.endpoints)}`,
      'httpPort=0',
      `storePathRootDir=${join(cluster.data, 'relay')}`,
      `setSecretFile=${join(cluster.data, 'conf', 'set-secret')}`,
    )
    const line = await service.lines.line(['metadata-rpc is up'])
    const [, http = ''] = /http"?[=:] ?"?([0-9.:]+)/.exec(line) ?? []
    return new Relay(service, `http://${http}`)
  }

  /** Resolves when its grantor is there and all is well. */
  async hears(): Promise<void> {
    await until('the relay to hear its grantor', async () => {
      const answer = await fetch(`${this.#http}/readyz`)
      return answer.status === 200 && (await answer.text()).includes('"problems":[]')
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.service[Symbol.asyncDispose]()
  }
}

function portOf(address: string): string {
  return address.slice(address.lastIndexOf(':') + 1)
}
