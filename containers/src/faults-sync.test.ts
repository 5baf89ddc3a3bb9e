import { describeFaults } from './faults.test-kit.ts'

describeFaults('sync')
