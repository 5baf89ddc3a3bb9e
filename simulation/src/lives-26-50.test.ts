import { testLives } from './lives.test-kit.ts'

testLives(26, 50)
