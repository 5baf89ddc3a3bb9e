import { existsSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { ReplicationView } from '@tandemmq/http'
import { BrokerError, messageOf } from '@tandemmq/base'
import { setIn, type WhereToAsk } from '../admin-address.ts'
import { AdminApi } from '../admin-api.ts'

/** Who can be asked as a master. */
export interface Masters {
  readonly apis: readonly AdminApi[]
  /** Sets of the cluster of which no master answers. */
  readonly missing: readonly string[]
}

/** The masters of a cluster that the launcher wrote, by who says now that it is one; or the one broker at `url`. Throws what {@link AdminApi} does. */
export async function masters(where: WhereToAsk): Promise<Masters> {
  const names = where.url === undefined ? brokersIn(where.data) : []
  const apis = names.length === 0 ? [AdminApi.find(where)] : names.map((name) => AdminApi.find(where, name))
  const views = await Promise.allSettled(apis.map((api) => api.ask<ReplicationView>('/api/v1/replication')))
  const setsFound = views.map((view) => (view.status === 'fulfilled' ? setOfMaster(view.value) : undefined))
  const found = apis.filter((_, index) => setsFound[index] !== undefined)
  if (found.length > 0) {
    const sets = new Set(names.flatMap((name) => setIn(where.data, name) ?? []))
    return { apis: found, missing: [...sets].filter((set) => !setsFound.includes(set)) }
  }
  const failures = views.flatMap((view) => (view.status === 'rejected' ? [view.reason] : []))
  if (failures.length === views.length) throw failures[0]
  if (where.url !== undefined)
    throw new BrokerError('ILLEGAL_ARGUMENT', `${where.url} is no master: give the address of one`)
  const [why] = failures.map(messageOf)
  throw new BrokerError('UNAVAILABLE', `no master is running${why === undefined ? '' : `; ${why}`}`)
}

/** `undefined`: who answers is no master. */
function setOfMaster({ members }: ReplicationView): string | undefined {
  const [member, ...others] = members
  return member?.role === 'master' && others.length === 0 ? member.set : undefined
}

function brokersIn(data: string): readonly string[] {
  const conf = join(resolve(data), 'conf')
  const files = existsSync(conf) ? readdirSync(conf) : []
  return files.flatMap((file) => /^(.*broker.*)\.conf$/.exec(file)?.[1] ?? [])
}
