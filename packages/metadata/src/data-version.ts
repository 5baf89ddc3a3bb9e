import type { JsonObject } from '@tandemmq/codec'
import { integerOf, objectOf } from './json-fields.ts'

/** Apache's version of a config file. Only for Apache's eyes: our own order of changes is the cursor. */
export interface DataVersion {
  readonly counter: number
  readonly stateVersion: number
  /** Wall clock, ms. */
  readonly timestamp: number
}

export function nextDataVersion(last: DataVersion, now: number): DataVersion {
  return { counter: last.counter + 1, stateVersion: last.stateVersion, timestamp: now }
}

export function dataVersionFrom(document: JsonObject): DataVersion {
  const json = objectOf(document, 'dataVersion')
  return {
    counter: integerOf(json, 'counter', 0),
    stateVersion: integerOf(json, 'stateVersion', 0),
    timestamp: integerOf(json, 'timestamp', 0),
  }
}

export function dataVersionToJson(version: DataVersion): JsonObject {
  return new Map([
    ['counter', version.counter],
    ['stateVersion', version.stateVersion],
    ['timestamp', version.timestamp],
  ])
}
