import type { Meter, Reading } from '@tandemmq/base'
import type { MemberState } from '@tandemmq/http'
import type { ClusterState } from './cluster-state.ts'

/** The cluster as its registry knows it, worked out when somebody asks. */
export function observeCluster(meter: Meter, cluster: ClusterState): void {
  meter.observe('rocketmq_proxy_up', 'The gateway runs.', ['proxy_mode'], () => [
    { labels: { proxy_mode: 'cluster' }, value: 1 },
  ])
  const ofSet = (
    name: string,
    help: string,
    value: (set: ReturnType<ClusterState['sets']>[number]) => number,
  ) =>
    meter.observe(name, help, ['set'], () =>
      cluster.sets().map((set) => ({ labels: { set: set.name }, value: value(set) })),
    )
  ofSet('rocketmq_ha_set_served', 'Whether somebody serves the consumers of a set (1) or not (0).', (set) =>
    set.serving === undefined ? 0 : 1,
  )
  ofSet('rocketmq_ha_set_writable', 'Whether a set takes messages (1) or not (0).', (set) =>
    set.writable === undefined ? 0 : 1,
  )
  ofSet(
    'rocketmq_ha_set_serving_epoch',
    'Epoch under which a set is served, 0 = nobody serves; it grows with every change.',
    (set) => set.serving?.epoch ?? 0,
  )
  const ofMember = (name: string, help: string, value: (member: MemberState) => number): void =>
    meter.observe(name, help, ['set', 'identity', 'role'], (): readonly Reading[] =>
      cluster.sets().flatMap(({ name: set, members }) =>
        members.map((member) => ({
          labels: { set, identity: member.identity, role: member.role },
          value: value(member),
        })),
      ),
    )
  ofMember('rocketmq_ha_member_alive', 'Heard within the last second (1) or not (0).', ({ alive }) =>
    alive ? 1 : 0,
  )
  ofMember(
    'rocketmq_ha_member_lag_bytes',
    'Bytes of the log that a member lacks, as it said last.',
    ({ lagBytes }) => lagBytes,
  )
}
