import { defineConfig } from 'vitest/config'

/**
 * Every package resolves its siblings to their TypeScript sources, so tests need no build. No test asserts a wall clock: the
 * time-out is only there to end one that hangs, on a busy machine too.
 */
export default defineConfig({
  ssr: { resolve: { conditions: ['@tandemmq/source', 'node', 'module', 'import', 'default'] } },
  test: {
    passWithNoTests: true,
    include: ['{src,test}/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
