export { explore, reportOf, type ExplorationOptions, type Findings } from './simulated/exploration.ts'
export { groupedSequences } from './simulated/sequences.ts'
export { steps, type Step } from './simulated/steps.ts'
