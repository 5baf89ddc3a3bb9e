import { unreachable } from '@tandemmq/base'

/** One thing that a repair does. Each leaves a store that can be surveyed and repaired again, wherever a crash interrupts it. */
export type RepairStep =
  /** A file of the log gets its length; bytes behind it are saved. */
  | { readonly kind: 'length'; readonly file: string; readonly from: number; readonly to: number }
  /** Log bytes come from elsewhere. */
  | { readonly kind: 'fetch'; readonly from: number; readonly to: number; readonly source: string }
  /** The log ends at `at`. `lost`: records behind, by topic and queue. */
  | {
      readonly kind: 'cut'
      readonly at: number
      readonly to: number
      readonly lost: readonly LostMessages[]
      /** Records that were safe are given up: rule 3.1 applies at the next start. */
      readonly isLoss: boolean
    }
  /** A state file takes the content of its fallback copy. */
  | { readonly kind: 'restore'; readonly file: string }
  /** The position file takes the content of its fallback copy, which does not count as a clean stop. */
  | { readonly kind: 'restore-position' }
  /** Apache's epoch file is written again from ours. */
  | { readonly kind: 'rewrite-epochs' }
  /** A file that the store writes again by itself is moved away. */
  | { readonly kind: 'set-aside'; readonly file: string }
  /** Built again from the log. */
  | { readonly kind: 'rebuild'; readonly what: 'consumequeue' | 'index' }
  /** The store is opened as a broker opens it, and closed. */
  | { readonly kind: 'open'; readonly isLossNoted: boolean }

export interface LostMessages {
  readonly topic: string
  readonly queueId: number
  readonly messages: number
  readonly firstQueueOffset: number
  readonly lastQueueOffset: number
}

/** A step in words. `saved`: where what is removed goes. */
export function inWords(step: RepairStep, saved: string): string {
  switch (step.kind) {
    case 'length': {
      const rest = step.from > step.to ? ` (what lies behind is saved to ${saved})` : ''
      return `give ${step.file} its length of ${step.to} bytes again, it has ${step.from}${rest}`
    }
    case 'fetch':
      return `fetch the log's bytes [${step.from}, ${step.to}) from ${step.source}, check them, and put them in place (what lies there is saved to ${saved})`
    case 'cut': {
      const behind = `${step.to - step.at} bytes behind it are saved to ${saved}`
      if (!step.isLoss) return `cut the log at ${step.at}: there are no records behind; ${behind}`
      const note = 'the next start of a master fetches what is missing from a slave, a slave from its master'
      return `cut the log at ${step.at}; ${behind}; ${note}. Given up here, besides what is damaged: ${lossInWords(step.lost)}`
    }
    case 'restore':
      return `replace ${step.file} with its copy ${step.file}.bak (the damaged one is saved to ${saved})`
    case 'restore-position':
      return `replace the position file with what position.bak says, which is older: the last stop counts as not clean (the damaged one is saved to ${saved})`
    case 'rewrite-epochs':
      return `write epochFileCheckpoint again from epochOpeners (the present one is saved to ${saved})`
    case 'set-aside':
      return `write ${step.file} again (the present one is saved to ${saved})`
    case 'rebuild': {
      const what = step.what === 'index' ? 'the index' : 'the consume queues'
      return `build ${what} again from the log (the present ${step.what} is saved to ${saved})`
    }
    case 'open': {
      const loss = step.isLossNoted
        ? '; it is noted that the end of the log may be lost: the next start of a master fetches it from a slave, a slave from its master'
        : ''
      return `open the store, as a broker does, and close it${loss}`
    }
    default:
      return unreachable(step)
  }
}

function lossInWords(lost: readonly LostMessages[]): string {
  if (lost.length === 0) return 'no message that could still be read'
  const shown = lost.slice(0, 20).map(({ topic, queueId, messages, firstQueueOffset, lastQueueOffset }) => {
    return `${topic}/${queueId} ${messages} (queue offsets ${firstQueueOffset} to ${lastQueueOffset})`
  })
  const all = lost.reduce((sum, { messages }) => sum + messages, 0)
  const more = lost.length > shown.length ? `, and ${lost.length - shown.length} more queues` : ''
  return `${all} messages: ${shown.join(', ')}${more}`
}
