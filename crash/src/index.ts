export {
  explore,
  reportOf,
  sequencesOf,
  type ExplorationOptions,
  type Findings,
} from './simulated/exploration.ts'
export { steps, type Step } from './simulated/steps.ts'
