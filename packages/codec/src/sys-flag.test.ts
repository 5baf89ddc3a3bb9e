import { describe, expect, it } from 'vitest'
import { compressionOf, transactionTypeOf, withTransactionType, type TransactionType } from './sys-flag.ts'

describe('the system flag', () => {
  it.each<[number, TransactionType]>([
    [0x00, 'none'],
    [0x04, 'prepared'],
    [0x08, 'commit'],
    [0x0c, 'rollback'],
  ])('with bits %i is of transaction type %s', (bits, type) => {
    expect(transactionTypeOf(0x7f3 | bits)).toBe(type)
    expect(withTransactionType(0x7ff, type)).toBe(0x7f3 | bits)
  })

  it.each([
    [0x000, 'none'],
    [0x300, 'none'], // An algorithm alone compresses nothing.
    [0x001, 'zlib'],
    [0x101, 'lz4'],
    [0x201, 'zstd'],
    [0x301, 'zlib'],
    [0x401, 'unknown'],
  ])('%i says that the body is compressed with %s', (sysFlag, compression) => {
    expect(compressionOf(sysFlag)).toBe(compression)
  })
})
