export { live, type Outcome } from './life.ts'
export type { Verdict } from './checks.ts'
