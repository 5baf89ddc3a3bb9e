/** A life that has found a bug once, ours or a planted one. What an old seed stands for must not change: whatever is new in a plan is drawn last. */
export interface RegressionSeed {
  readonly seed: number
  readonly found: string
}

export const regressionSeeds: readonly RegressionSeed[] = [
  {
    seed: 67,
    found:
      'what a deposed master knew of records that were cut from its log counted for those that took their offsets, once it had followed its successor',
  },
  {
    seed: 102,
    found:
      'what groups had done with a scheduled record was forgotten when that expired, before it was moved to the record that was put',
  },
  {
    seed: 200,
    found:
      'planted: a slave held scheduled messages for put whose puts it had not copied, since its master said so',
  },
  {
    seed: 114,
    found: 'planted: progress of messages lost with the tail counted for those that took their offsets',
  },
  {
    seed: 203,
    found: 'planted: progress of messages lost with the tail counted for those that took their offsets',
  },
  { seed: 140, found: 'planted: the serving token moved before the relays had let go of its former holder' },
  { seed: 157, found: 'planted: the same, in asynchronous mode' },
  { seed: 233, found: 'planted: the same, where nobody was promoted before' },
  { seed: 298, found: 'a send over a connection that had broken off unheard' },
  { seed: 499, found: 'planted: the slave that holds least made the master' },
  {
    seed: 5108,
    found:
      'in a check: a scheduled record was done and not put, since its master had dropped what had expired there',
  },
  {
    seed: 835,
    found:
      'acknowledgements in the journal of a deposed master, of records that its log had lost in a power cut, were not told to its successor, which held them',
  },
  {
    seed: 42063,
    found:
      'what a slave knew of records that it was just cutting off, to copy them again, was dropped while the cut went on',
  },
  {
    seed: 5613,
    found:
      'a power cut of all in the first seconds: the slaves held nothing for certain, and the master waited for them for ever',
  },
  {
    seed: 5308,
    found:
      'a master that fetched the begin of a record, of which nobody had the rest, from its slave again and again',
  },
  {
    seed: 5261,
    found:
      'a successor that waited for the lost master, since the end that it was appointed for was that of an unfinished record',
  },
  {
    seed: 5809,
    found:
      'in a check: what a killed process had not synced was lost with the power right after the next start',
  },
  {
    seed: 30060,
    found:
      'in a check: a slave was to know, from the acknowledgement of a record that it had not copied yet, which scheduled message that was',
  },
  {
    seed: 30846,
    found:
      'in a check: what a machine with a slow disk lost with its power was to be synced as quickly as ever',
  },
  {
    seed: 31804,
    found:
      'in a check: a process that lost its power while it was starting was to have synced what the one before it had left',
  },
  {
    seed: 33457,
    found:
      'in a check: a metadata-rpc that had stood still found connections closed as it went on, and the token moved at once',
  },
  {
    seed: 32187,
    found:
      'what was acknowledged of records that a broker held counted for none of them, as long as it lacked the last one',
  },
  {
    seed: 32539,
    found: 'in a check: a promotion was taken to be over when a second one, asked for meanwhile, was refused',
  },
  { seed: 11, found: 'planted: an orderly delivery leaves without waiting for the slaves that watch' },
  { seed: 17, found: 'planted: the same, in asynchronous mode' },
]
