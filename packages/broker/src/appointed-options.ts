import { splitAddress } from '@tandemmq/base'
import type { Appointment } from '@tandemmq/registry'
import type { BrokerOptions, MasterOptions, SlaveOptions } from './broker-options.ts'

/** What a broker needs to be either. */
export interface RoleOptions {
  readonly master: MasterOptions
  readonly slave: Omit<SlaveOptions, 'masterHa' | 'masterGrpc'>
}

/**
 * The options of a broker in the role that an appointment gives it; as they are configured without one.
 * @param configured with `master` or `slave`, and `haIfMaster` where the other one is possible
 */
export function appointedOptions(
  configured: BrokerOptions,
  roles: RoleOptions,
  appointment: Appointment | undefined,
): BrokerOptions {
  if (appointment === undefined) return configured
  const { master: _master, slave: _slave, ...common } = configured
  if (appointment.identity === configured.identity) return { ...common, appointment, master: roles.master }
  const slave = {
    ...roles.slave,
    masterHa: splitAddress(appointment.haAddress),
    masterGrpc: appointment.grpcAddress,
  }
  return { ...common, appointment, slave }
}
