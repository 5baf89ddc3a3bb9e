import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    // Many tests wait for processes of their own: one worker a core would leave cores idle.
    maxWorkers: 3,
    projects: [
      'packages/*',
      'services/*',
      'simulation',
      'interop',
      'hostile',
      'bench',
      'fuzz',
      'crash',
      'rounds',
      'tools',
    ],
  },
})
