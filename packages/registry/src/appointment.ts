import type { CheckedFields } from '@tandemmq/codec'

/** Which member of a set an operator has made its master (rule 3.5). Later ones have higher epochs; the highest holds. */
export interface Appointment {
  readonly identity: string
  /** Its log goes on under at least this epoch; nobody else's does. */
  readonly epoch: number
  /** `host:port` of its gRPC. */
  readonly grpcAddress: string
  /** `host:port` at which it sends its log. */
  readonly haAddress: string
  /** Where its log ended when it was appointed, bytes: whoever still holds that much lacks nothing. 0: not known. */
  readonly end: number
  /** The operator has given up what is not there then (rule 3.4). */
  readonly acceptsLoss: boolean
}

/** The one that holds of two. */
export function laterOf(
  one: Appointment | undefined,
  other: Appointment | undefined,
): Appointment | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return other.epoch > one.epoch ? other : one
}

/** From a state file. Throws `STATE_FILE_CORRUPT`. */
export function decodeAppointment(fields: CheckedFields): Appointment {
  return {
    identity: fields.text('identity'),
    epoch: fields.position('epoch'),
    grpcAddress: fields.text('grpcAddress'),
    haAddress: fields.text('haAddress'),
    // Earlier versions wrote neither.
    end: fields.optionalPosition('end') ?? 0,
    acceptsLoss: fields.optional('acceptsLoss') === true,
  }
}
