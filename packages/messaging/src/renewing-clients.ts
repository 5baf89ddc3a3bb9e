/** More than this many clients at once are not remembered; the oldest go first. */
const CLIENTS_MAX = 100_000

/** Which clients have received under auto-renew and are not known to be gone, by group. */
export class RenewingClients {
  readonly #groups = new Map<string, Set<string>>()

  add(clientId: string, group: string): void {
    const groups = this.#groups.get(clientId)
    if (groups) {
      groups.add(group)
      return
    }
    this.#groups.set(clientId, new Set([group]))
    if (this.#groups.size <= CLIENTS_MAX) return
    for (const oldest of this.#groups.keys()) {
      this.#groups.delete(oldest)
      return
    }
  }

  has(clientId: string, group: string): boolean {
    return this.#groups.get(clientId)?.has(group) ?? false
  }

  remove(clientId: string, group: string): void {
    const groups = this.#groups.get(clientId)
    groups?.delete(group)
    if (groups?.size === 0) this.#groups.delete(clientId)
  }
}
