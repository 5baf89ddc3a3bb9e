import { testLives } from './lives.test-kit.ts'

testLives(51, 75)
