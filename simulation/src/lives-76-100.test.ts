import { testLives } from './lives.test-kit.ts'

testLives(76, 100)
