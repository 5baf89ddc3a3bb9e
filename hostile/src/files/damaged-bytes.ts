import { contentOf, put, type FileImage } from './file-image.ts'
import { StoreMachine } from './broker-stores.ts'
import { knowledgeOf, type Knowledge } from './knowledge.ts'
import { verdictOf, type Verdict } from './verdict.ts'

/** What is done to one byte. */
export type Harm = 'truncate' | 'flip'

export interface HarmOptions {
  /** Of a file longer than this only so many places are tried, spread evenly. */
  readonly placesMax: number
  /** All eight bits of a byte, or one that differs from place to place. */
  readonly allBits: boolean
}

/** How often each verdict was given. */
export type Tally = Partial<Record<Verdict, number>>

/** What the undamaged image says. */
export async function knowledgeIn(image: FileImage): Promise<Knowledge> {
  return knowledgeOf(await new StoreMachine(image).open())
}

/** Damages one file at every place (or as many as allowed) and starts a broker's stores on it each time. Throws at the first start that must not be. */
export async function harmEveryByte(
  image: FileImage,
  file: string,
  harm: Harm,
  before: Knowledge,
  options: HarmOptions,
): Promise<Tally> {
  const content = image.get(file)
  if (content === undefined) throw new Error(`there is no ${file} in this image`)
  const tally: Tally = {}
  const step = Math.max(1, content.length / options.placesMax)
  for (let place = 0; place < content.length; place += step) {
    const at = Math.floor(place)
    const bits = harm === 'truncate' ? [0] : options.allBits ? [0, 1, 2, 3, 4, 5, 6, 7] : [at % 8]
    for (const bit of bits) {
      const machine = new StoreMachine(image)
      put(machine.disk, file, damaged(contentOf(machine.disk, file), harm, at, bit))
      let verdict: Verdict
      try {
        verdict = await verdictOf(file, before, machine.logger, () => machine.open())
      } catch (failure) {
        throw new Error(`${harm} at byte ${at}, bit ${bit}`, { cause: failure })
      }
      tally[verdict] = (tally[verdict] ?? 0) + 1
    }
  }
  return tally
}

function damaged(content: Buffer, harm: Harm, at: number, bit: number): Buffer {
  if (harm === 'truncate') return content.subarray(0, at)
  const copy = Buffer.from(content)
  copy[at] = (copy[at] ?? 0) ^ (1 << bit)
  return copy
}
