/** Bits of a record's SYSFLAG (RocketMQ MessageSysFlag). */
export const SysFlag = {
  compressed: 0x1,
  multiTags: 0x2,
  /** Two bits: {@link transactionTypeOf}. */
  transactionMask: 0xc,
  transactionPrepared: 0x4,
  transactionCommit: 0x8,
  transactionRollback: 0xc,
  bornHostV6: 0x10,
  storeHostV6: 0x20,
  needUnwrap: 0x40,
  innerBatch: 0x80,
  /** Three bits: {@link compressionOf}. */
  compressionMask: 0x700,
} as const

export type TransactionType = 'none' | 'prepared' | 'commit' | 'rollback'

const transactionTypes = ['none', 'prepared', 'commit', 'rollback'] as const

export function transactionTypeOf(sysFlag: number): TransactionType {
  return transactionTypes[(sysFlag & SysFlag.transactionMask) >> 2] ?? 'none'
}

export function withTransactionType(sysFlag: number, type: TransactionType): number {
  return (sysFlag & ~SysFlag.transactionMask) | (transactionTypes.indexOf(type) << 2)
}

/** How a body is compressed; `unknown` is an algorithm number nobody has assigned. */
export type Compression = 'none' | 'zlib' | 'lz4' | 'zstd' | 'unknown'

/** Algorithm number 0 is what old clients write, and means ZLIB. */
const algorithms = ['zlib', 'lz4', 'zstd', 'zlib'] as const

export function compressionOf(sysFlag: number): Compression {
  if ((sysFlag & SysFlag.compressed) === 0) return 'none'
  return algorithms[(sysFlag & SysFlag.compressionMask) >> 8] ?? 'unknown'
}
