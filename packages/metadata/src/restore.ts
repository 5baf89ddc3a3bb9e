import { BrokerError, type Clock, type Files, type Logger } from '@tandemmq/base'
import { formatCompactJson } from '@tandemmq/codec'
import type { Change } from './change.ts'
import { completed } from './change-completion.ts'
import { decodeChange } from './change-decoding.ts'
import { ConfigFile, type ConfigContent } from './config-file.ts'
import { EMPTY_DOCUMENT, type ConfigDocument } from './config-document.ts'
import { delayMapping, groupsMapping, progressMapping, topicsMapping } from './config-mappings.ts'
import { DELAY_KEY } from './delay-progress.ts'
import { FileNotes } from './file-notes.ts'
import { nextGeneration } from './generation.ts'
import { groupToJson } from './group-config.ts'
import { epochIn } from './journal-inspection.ts'
import { JOURNAL_FILE } from './journal.ts'
import { corrupt, readJournal } from './journal-replay.ts'
import { JOURNAL_TAGS } from './journal-tags.ts'
import type { MetadataState } from './metadata-state.ts'
import type { MetadataKind } from './snapshot.ts'
import { topicToJson } from './topic-config.ts'

export interface RestoreOptions {
  readonly root: string
  /** A config file that is not as we last wrote it is an operator's order (rule 5.1); otherwise it is overwritten. */
  readonly acceptEdits: boolean
  /** There was a journal before: without it, what was acknowledged since the last config files is forgotten. */
  readonly journalExpected: boolean
  /** The last stop was a clean one: the journal must end with its witness. */
  readonly closedCleanly: boolean
}

export interface RestorePorts {
  readonly files: Files
  readonly clock: Clock
  readonly logger: Logger
}

export interface Restored {
  readonly processEpoch: number
  readonly notes: FileNotes
  readonly documents: Record<MetadataKind, ConfigDocument>
  /** Of what the files hold now; the kind is absent where only the fallback copy could be read, or nothing. */
  readonly digests: ReadonlyMap<MetadataKind, string>
}

/** Progress of a queue that was never reset. */
const NOTHING_VOID = Number.MAX_SAFE_INTEGER

/**
 * Brings the tables back: the journal is the truth, Apache's files are derived from it. Where there is no journal
 * (a store of Apache's), the files are where we begin.
 * Throws `STATE_FILE_CORRUPT` naming the file (and the place in the journal), also for a journal that is gone.
 */
export function restore(
  options: RestoreOptions,
  ports: RestorePorts,
  state: MetadataState,
  replay: (change: Change) => void,
): Restored {
  const { files, clock, logger } = ports
  const notes = new FileNotes()
  const path = `${options.root}/journal/${JOURNAL_FILE}`
  const journal = readJournal(path, files, logger)
  if (journal === undefined && options.journalExpected) throw missing(path)
  if (journal !== undefined && options.closedCleanly && journal.at(-1)?.tag !== JOURNAL_TAGS.witness) {
    logger.warn({ file: path }, 'the journal lacks its end: what was acknowledged last is delivered again')
  }
  let lastEpoch = 0
  for (const { at, tag, payload } of journal ?? []) {
    try {
      if (tag === JOURNAL_TAGS.start) lastEpoch = epochIn(payload)
      if (tag === JOURNAL_TAGS.fileNote) notes.replay(payload)
      if (tag !== JOURNAL_TAGS.change) continue
      const change = decodeChange(payload)
      if (change !== undefined) replay(sinceDelivery(change, clock.now()))
    } catch (cause) {
      if (cause instanceof BrokerError) throw corrupt(path, at, cause.message)
      throw cause
    }
  }
  const processEpoch = Math.max(lastEpoch + 1, clock.now())
  const intake = new FileIntake(state, ports, { isFirst: journal === undefined, processEpoch })
  const digests = new Map<MetadataKind, string>()
  const read = <T>(
    kind: MetadataKind,
    name: string,
    take: (content: ConfigContent, isOurs: boolean) => T,
  ): T | undefined => {
    const content = new ConfigFile(`${options.root}/config`, name, files, logger).read()
    const isOurs = content?.source === 'fallback' ? journal !== undefined : notes.knows(name, content?.digest)
    if (content?.source === 'file') digests.set(kind, content.digest)
    return content && take(content, isOurs || (journal !== undefined && !options.acceptEdits))
  }
  const documents = {
    topics:
      read('topics', topicsMapping.file, (content, isOurs) => intake.topics(content, isOurs)) ??
      EMPTY_DOCUMENT,
    groups:
      read('groups', groupsMapping.file, (content, isOurs) => intake.groups(content, isOurs)) ??
      EMPTY_DOCUMENT,
    progress:
      read('progress', progressMapping.file, (content, isOurs) => intake.progress(content, isOurs)) ??
      EMPTY_DOCUMENT,
    delay: read('delay', delayMapping.file, (content) => intake.delay(content)) ?? EMPTY_DOCUMENT,
  }
  return { processEpoch, notes, documents, digests }
}

/** What Apache's files, or an operator's edits of them, mean for the tables. */
class FileIntake {
  readonly #state: MetadataState
  readonly #ports: RestorePorts
  readonly #isFirst: boolean
  readonly #processEpoch: number
  #counter = 0

  constructor(state: MetadataState, ports: RestorePorts, life: { isFirst: boolean; processEpoch: number }) {
    this.#state = state
    this.#ports = ports
    this.#isFirst = life.isFirst
    this.#processEpoch = life.processEpoch
  }

  topics(content: ConfigContent, isOurs: boolean): ConfigDocument {
    return topicsMapping.read(content.json, this.#ports.logger, (topic) => {
      const known = this.#state.topics.get(topic.name)
      if (isOurs || (known && isSame(topicToJson(known), topicToJson(topic)))) return
      this.#take({ kind: 'topic-put', topic }, topicsMapping.file, { topic: topic.name })
    })
  }

  groups(content: ConfigContent, isOurs: boolean): ConfigDocument {
    return groupsMapping.read(content.json, this.#ports.logger, (group) => {
      const known = this.#state.groups.get(group.name)
      if (isOurs || (known && isSame(groupToJson(known), groupToJson(group)))) return
      this.#take({ kind: 'group-put', group }, groupsMapping.file, { group: group.name })
    })
  }

  progress(content: ConfigContent, isOurs: boolean): ConfigDocument {
    return progressMapping.read(content.json, this.#ports.logger, (key, floor) => {
      const queue = this.#state.progress.queue(key.group, key.topic, key.queueId)
      if (this.#isFirst) {
        const acked = floor > 0 ? [[0, floor] as const] : []
        const { generation } = queue
        this.#take({
          kind: 'progress',
          ...key,
          generation,
          voidFrom: NOTHING_VOID,
          acked,
          marks: [],
          leases: [],
        })
      } else if (!isOurs && queue.floor !== floor) {
        const generation = nextGeneration(queue.generation, this.#processEpoch)
        const facts = {
          group: key.group,
          topic: key.topic,
          queueId: key.queueId,
          from: queue.floor,
          to: floor,
        }
        this.#take({ kind: 'reset', ...key, to: floor, generation }, progressMapping.file, facts)
      }
    })
  }

  delay(content: ConfigContent): ConfigDocument {
    return delayMapping.read(content.json, this.#ports.logger, (level, offset) => {
      if (level > 0) this.#take({ kind: 'delay-levels', levels: [[level, offset]] })
      else if (this.#isFirst && offset > 0) {
        const { generation } = this.#state.progress.queue(DELAY_KEY.group, DELAY_KEY.topic, DELAY_KEY.queueId)
        const acked = [[0, offset] as const]
        this.#take({
          kind: 'progress',
          ...DELAY_KEY,
          generation,
          voidFrom: NOTHING_VOID,
          acked,
          marks: [],
          leases: [],
        })
      }
    })
  }

  #take(change: Change, file?: string, facts: Readonly<Record<string, string | number>> = {}): void {
    this.#counter++
    const next = { processEpoch: this.#processEpoch, counter: this.#counter }
    this.#state.apply(completed(change, this.#state, next), this.#ports.clock.monotonic())
    if (file !== undefined && !this.#isFirst)
      this.#ports.logger.warn({ file, ...facts }, 'an edited config file was taken over')
  }
}

/** The change with what is left of its leases by the wall clock, the only one that outlives a process. */
function sinceDelivery(change: Change, now: number): Change {
  const left = <T extends { deliveredAt: number; invisibleMs: number }>(
    delivery: T,
  ): T & { remainingMs: number } => ({
    ...delivery,
    remainingMs: Math.min(
      delivery.invisibleMs,
      Math.max(0, delivery.deliveredAt + delivery.invisibleMs - now),
    ),
  })
  switch (change.kind) {
    case 'lease':
      return { ...change, deliveries: change.deliveries.map(left) }
    case 'visibility':
      return { ...change, delivery: left(change.delivery) }
    case 'progress':
      return { ...change, leases: change.leases.map(left) }
    default:
      return change
  }
}

function missing(path: string): BrokerError {
  return new BrokerError(
    'STATE_FILE_CORRUPT',
    `the journal ${path} is missing: bring it back, or let a master go on from config/*.json with acceptLoss=true (what was acknowledged since they were written is delivered again)`,
    { facts: { file: path } },
  )
}

function isSame(a: ReturnType<typeof topicToJson>, b: ReturnType<typeof topicToJson>): boolean {
  return formatCompactJson(a) === formatCompactJson(b)
}
