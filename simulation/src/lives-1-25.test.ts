import { testLives } from './lives.test-kit.ts'

testLives(1, 25)
