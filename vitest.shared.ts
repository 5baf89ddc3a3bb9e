import { defineConfig } from 'vitest/config'

/** Every package resolves its siblings to their TypeScript sources, so tests need no build. */
export default defineConfig({
  ssr: { resolve: { conditions: ['@tandemmq/source', 'node', 'module', 'import', 'default'] } },
  test: { passWithNoTests: true, include: ['{src,test}/**/*.test.ts'] },
})
