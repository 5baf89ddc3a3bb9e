import { defineConfig, mergeConfig } from 'vitest/config'
import shared from '../vitest.shared.ts'

/** Two cores carry two clusters at once. What a run leaves behind is removed by its label, however it ends. */
export default mergeConfig(
  shared,
  defineConfig({
    test: {
      globalSetup: 'src/engine-set-up.ts',
      maxWorkers: 2,
      env: { TESTCONTAINERS_RYUK_DISABLED: 'true' },
      testTimeout: 300_000,
      hookTimeout: 300_000,
    },
  }),
)
