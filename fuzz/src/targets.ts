import type { Target } from './target.ts'
import { apacheJson } from './targets/apache-json.ts'
import { epochFile } from './targets/epoch-file.ts'
import { fixedUnits } from './targets/fixed-units.ts'
import { haDownward, haUpward } from './targets/ha-stream.ts'
import { haMaster } from './targets/ha-master.ts'
import { haSlave } from './targets/ha-slave.ts'
import { haFields } from './targets/ha-fields.ts'
import { haHandshake } from './targets/ha-handshake.ts'
import { indexFile } from './targets/index-file.ts'
import { journalRecords } from './targets/journal-records.ts'
import { logRecord } from './targets/log-record.ts'
import { metadataChanges } from './targets/metadata-changes.ts'
import { metadataFiles } from './targets/metadata-files.ts'
import { storeFiles } from './targets/store-files.ts'
import { configuration } from './targets/configuration.ts'
import { httpJson } from './targets/http-json.ts'
import { grpcRequests } from './targets/grpc-requests.ts'
import { streamFrames } from './targets/stream-frames.ts'
import { messageBatch } from './targets/message-batch.ts'
import { properties } from './targets/properties.ts'
import { receiptHandle } from './targets/receipt-handle.ts'

/** Every target, in the order of the parts they belong to. */
export const targets: readonly Target[] = [
  logRecord,
  properties,
  messageBatch,
  fixedUnits,
  indexFile,
  epochFile,
  journalRecords,
  apacheJson,
  receiptHandle,
  haHandshake,
  haFields,
  haUpward,
  haDownward,
  haMaster,
  haSlave,
  storeFiles,
  metadataFiles,
  metadataChanges,
  grpcRequests,
  streamFrames,
  configuration,
  httpJson,
]

/** Throws for a name that no target has. */
export function targetNamed(name: string): Target {
  const target = targets.find((each) => each.name === name)
  if (target === undefined) throw new Error(`there is no fuzz target ${JSON.stringify(name)}`)
  return target
}
