import { defineConfig, mergeConfig } from 'vitest/config'
import shared from '../vitest.shared.ts'

/** One test at a time: each may start two Java machines. The time-outs only end what hangs. */
export default mergeConfig(
  shared,
  defineConfig({
    test: {
      globalSetup: 'src/prepare.ts',
      fileParallelism: false,
      testTimeout: 180_000,
      hookTimeout: 180_000,
    },
  }),
)
