import type { MasterOptions } from '../broker-options.ts'

/** A master whose slave takes seconds for a few messages. */
export const SLOW_TO_COPY: MasterOptions = {
  haListen: { host: 'master', port: 10912 },
  haAdvertisedHost: 'master',
  createLog: true,
  acceptLoss: false,
  haBytesPerSecond: 2_000,
}
