import { brokerKeys } from '@tandemmq/broker-process'
import { parseProperties, parseReadyLine, readConfiguration, renderProperties } from '@tandemmq/platform-node'
import { claim, claimSame } from '../engine/claim.ts'
import { attempt } from '../engine/refusal.ts'
import type { Target } from '../target.ts'

/** A `.properties` file, its settings given to a broker, and the line that a service tells its launcher. */
export const configuration: Target = {
  name: 'configuration',
  holds:
    'refused with CONFIG_INVALID in one sentence, or settings that are written and read back the same; a broker takes them or refuses them in the same way',
  run(input) {
    const text = input.toString('utf8')
    readyLine(text)
    const parsed = attempt(['CONFIG_INVALID'], () => parseProperties(text, 'a.conf'))
    if ('refusal' in parsed) return 'refused'
    const settings = parsed.value
    const lines = text.split(/\r\n|\n|\r/).length
    claim(
      settings.every(({ line }) => line >= 1 && line <= lines),
      'each has its line',
    )
    const written = Object.fromEntries(settings.filter(isWritten).map(({ name, value }) => [name, value]))
    const again = parseProperties(renderProperties(['made by a test'], written), 'b.conf')
    claimSame(
      again.map(({ name, value }) => [name, value]),
      Object.entries(written),
      'the same settings come back',
    )
    claim(!('polluted' in {}), 'the prototype of objects is as it was')
    const configured = attempt(['CONFIG_INVALID'], () =>
      readConfiguration(brokerKeys, {
        arguments: settings.slice(0, 64).map(({ name, value }) => `${name}=${value}`),
        environment: {},
      }),
    )
    if ('value' in configured) {
      claim(Object.isFrozen(configured.value.values), 'what was read stays as it is')
      for (const warning of configured.value.warnings)
        claim(!/\p{Cc}/u.test(warning), 'a warning is one line')
    }
    return settings.length > 0 ? 'taken' : 'refused'
  },
}

/** No writer of ours makes such names, and an object keeps one of them only. */
function isWritten({ name, value }: { readonly name: string; readonly value: string }): boolean {
  return (
    name !== '' &&
    name !== '__proto__' &&
    !/[\0\uFFFD]/.test(`${name}${value}`) &&
    !/[\ud800-\udfff]/.test(name + value)
  )
}

function readyLine(text: string): void {
  const facts = parseReadyLine(text)
  claim(facts === undefined || typeof facts.service === 'string', 'a service says its name')
}
