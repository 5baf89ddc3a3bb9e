import type { Facts, Logger } from '@tandemmq/base'

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly facts: Facts
}

/** Keeps every line, so that a test can ask what an operator would have been told. */
export class RecordingLogger implements Logger {
  readonly lines: LogLine[] = []

  debug(facts: Facts, message: string): void {
    this.lines.push({ level: 'debug', message, facts })
  }

  info(facts: Facts, message: string): void {
    this.lines.push({ level: 'info', message, facts })
  }

  warn(facts: Facts, message: string): void {
    this.lines.push({ level: 'warn', message, facts })
  }

  error(facts: Facts, message: string): void {
    this.lines.push({ level: 'error', message, facts })
  }

  /** The messages, in order; of one level if given. */
  messages(level?: LogLine['level']): readonly string[] {
    return this.lines
      .filter((line) => level === undefined || line.level === level)
      .map((line) => line.message)
  }
}
