export { runCampaign, type CampaignOptions, type CampaignResult } from './engine/campaign.ts'
export { execute } from './engine/execution.ts'
export type { AllocationLimit, Target, Verdict } from './target.ts'
export { targetNamed, targets } from './targets.ts'
