import { readdirSync, readFileSync, writeFileSync } from 'node:fs'

const KIB_PER_MB = 1024
/** Linux counts processor time in hundredths of a second, whatever its timer does. */
const TICKS_PER_SECOND = 100

/** What Linux knows of a process that is attacked. */
export class Victim {
  readonly pid: number

  constructor(pid: number) {
    this.pid = pid
  }

  /** Resident memory now, MB. */
  get residentMB(): number {
    return this.#statusMB('VmRSS')
  }

  /** Highest resident memory since the last {@link forgetPeak}, MB. */
  get peakMB(): number {
    return this.#statusMB('VmHWM')
  }

  /** Open file descriptors. */
  get descriptors(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length
  }

  /** Processor time used so far, s. */
  get cpuSeconds(): number {
    const afterName = readFileSync(`/proc/${this.pid}/stat`, 'utf8').split(') ')[1] ?? ''
    const fields = afterName.split(' ')
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
  }

  /** The peak begins anew at what is resident now. */
  forgetPeak(): void {
    writeFileSync(`/proc/${this.pid}/clear_refs`, '5')
  }

  #statusMB(field: string): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8')
    const kib = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]
    return Math.round(Number(kib) / KIB_PER_MB)
  }
}
