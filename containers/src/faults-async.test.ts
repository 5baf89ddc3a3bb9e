import { describeFaults } from './faults.test-kit.ts'

describeFaults('async')
