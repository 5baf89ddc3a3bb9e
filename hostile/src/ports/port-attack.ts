/** Something done to a listening port, whoever listens. */
export interface PortAttack {
  readonly attack: string
  readonly expected: string
  /** What one of the attacked service's new log lines must contain; absent: nothing is asked of its log. */
  readonly tells?: string
  /** How much the resident memory of the service may grow meanwhile. Default 64. */
  readonly growthMaxMB?: number
  /** Throws when it is not as expected; otherwise says what was seen. */
  run(address: string): Promise<string>
}
