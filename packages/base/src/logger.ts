/** Structured facts of one log line. Never message bodies, never credentials. */
export type Facts = Readonly<Record<string, string | number | boolean | undefined>>

/** Messages are constant strings, data is in `facts`; nothing is logged per message. */
export interface Logger {
  debug(facts: Facts, message: string): void
  info(facts: Facts, message: string): void
  warn(facts: Facts, message: string): void
  error(facts: Facts, message: string): void
}

/** Discards everything. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} }
