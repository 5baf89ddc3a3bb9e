import { setTimeout as delay } from 'node:timers/promises'
import type { Broker } from '@tandemmq/broker'
import { NextTurn } from './next-turn.ts'

export interface SendOrder {
  readonly count: number
  readonly inFlight: number
  readonly bodyBytes: number
  /** Open loop: so many a second, however long they take; absent: as fast as answers come. */
  readonly perSecond?: number
  /** Who has its answer sends again in a later turn of the loop, as whoever asks over a socket does; absent: at once, within the turn. */
  readonly inTurns?: boolean
}

export interface SendFigures {
  readonly seconds: number
  readonly p50Ms: number
  readonly p99Ms: number
}

const HOST = { ip: '127.0.0.1', port: 1 }
const PACE_MS = 2

/** Sends to the broker in this process, as gRPC would hand it on. Throws unless every answer is OK. */
export async function sendMany(broker: Broker, order: SendOrder): Promise<SendFigures> {
  const { count, inFlight, bodyBytes, perSecond } = order
  const body = Buffer.alloc(bodyBytes, 'x')
  const took: number[] = []
  const signal = new AbortController().signal
  const context = { clientId: 'bench', peer: HOST, language: 'NODE_JS', clientVersion: '1', signal } as const
  const send = async (index: number): Promise<void> => {
    const sentAt = performance.now()
    const { status } = await broker.api.send(
      {
        topic: 'Bench',
        messageId: `0100000000000000000000000000${index.toString(16).padStart(6, '0')}`,
        type: 'NORMAL',
        body,
        keys: [],
        userProperties: new Map(),
        bornTimestamp: Date.now(),
        bornHost: HOST,
        compressed: false,
      },
      { ...context, deadline: sentAt + 30_000 },
    )
    if (status !== 'OK') throw new Error(`answered ${status}`)
    took.push(performance.now() - sentAt)
  }
  const began = performance.now()
  if (perSecond === undefined) {
    let next = 0
    const turn = new NextTurn()
    const worker = async (): Promise<void> => {
      while (next < count) {
        await send(next++)
        if (order.inTurns === true) await turn.begun()
      }
    }
    await Promise.all(Array.from({ length: inFlight }, worker))
  } else {
    const sends: Promise<void>[] = []
    while (sends.length < count) {
      const due = Math.min(count, Math.ceil(((performance.now() - began) * perSecond) / 1_000))
      while (sends.length < due) sends.push(send(sends.length))
      await delay(PACE_MS)
    }
    await Promise.all(sends)
  }
  const seconds = (performance.now() - began) / 1_000
  return { seconds, ...percentiles(took) }
}

export function percentiles(values: readonly number[]): { readonly p50Ms: number; readonly p99Ms: number } {
  const sorted = values.toSorted((one, other) => one - other)
  const at = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN
  return { p50Ms: at(0.5), p99Ms: at(0.99) }
}
