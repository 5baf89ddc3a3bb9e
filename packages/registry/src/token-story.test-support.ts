import type { RegistryOptions } from './registry-state.ts'
import { TokenCluster } from './token-cluster.test-support.ts'

/** Plays a script of `at what` lines and gives back what happened, in the same form. */
export async function play(script: string, options: Partial<RegistryOptions> = {}): Promise<string> {
  const cluster = new TokenCluster(options)
  for (const line of script.trim().split('\n')) {
    const [at = '', ...words] = line.trim().split(' ')
    await cluster.time.advance(Number(at) - cluster.time.monotonic())
    const [name = '', verb = '', ...rest] = words
    if (verb !== 'ends') cluster.say(words.join(' '))
    const member = cluster.members.get(name)
    if (verb === 'joins')
      cluster.join(name, name.startsWith('master') ? 'master' : 'slave', Number(rest[1] ?? 0))
    else if (verb === 'dies') member?.kill()
    else if (verb === 'freezes') member?.clock.freeze()
    else if (verb === 'thaws') member?.clock.thaw()
    else if (verb === 'loses') member?.cut()
    else if (verb === 'seals') member?.registration.seal()
    else if (verb === 'stays') member?.registration.stay()
    else if (verb === 'releases') member?.registration.release(rest[1] ?? '')
    else if (verb === 'part') cluster.isParted = true
    else if (verb === 'meet') cluster.isParted = false
    else if (verb === 'restarts') cluster.restartRegistry()
    else if (verb === 'stands') cluster.registryClock.freeze()
    else if (verb === 'goes') cluster.registryClock.thaw()
    else if (verb !== 'ends') throw new Error(`no such thing as '${line}'`)
  }
  return `\n${cluster.lines.join('\n')}\n`
}
