import { existsSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { ReplicationView } from '@tandemmq/http'
import { BrokerError } from '@tandemmq/base'
import type { WhereToAsk } from '../admin-address.ts'
import { AdminApi } from './admin-api.ts'

/** The masters of a cluster that the launcher wrote, by who says now that it is one; or the one broker at `url`. Throws what {@link AdminApi} does. */
export async function masters(where: WhereToAsk): Promise<readonly AdminApi[]> {
  const apis = where.url === undefined ? brokersIn(where) : [AdminApi.find(where)]
  const views = await Promise.allSettled(apis.map((api) => api.ask<ReplicationView>('/api/v1/replication')))
  const found = apis.filter((_, index) => {
    const view = views[index]
    return (
      view?.status === 'fulfilled' &&
      view.value.members.length === 1 &&
      view.value.members[0]?.role === 'master'
    )
  })
  if (found.length > 0) return found
  const [failed] = views.filter(({ status }) => status === 'rejected')
  if (failed?.status === 'rejected') throw failed.reason
  throw new BrokerError(
    'ILLEGAL_ARGUMENT',
    where.url === undefined ? 'no master is running' : `${where.url} is no master: give the address of one`,
  )
}

function brokersIn(where: WhereToAsk): readonly AdminApi[] {
  const conf = join(resolve(where.data), 'conf')
  const files = existsSync(conf) ? readdirSync(conf) : []
  const brokers = files.flatMap((file) => /^(.*broker.*)\.conf$/.exec(file)?.[1] ?? [])
  return brokers.length === 0 ? [AdminApi.find(where)] : brokers.map((name) => AdminApi.find(where, name))
}
