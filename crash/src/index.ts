export { Ext4Image, PowerSwitch, unmount } from './real/ext4-image.ts'
export { explore, reportOf, type ExplorationOptions, type Findings } from './simulated/exploration.ts'
export { groupedSequences } from './simulated/sequences.ts'
export { steps, type Step } from './simulated/steps.ts'
