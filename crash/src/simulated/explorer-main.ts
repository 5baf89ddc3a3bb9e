import { explore } from './exploration.ts'
import { explorer } from './explorers.ts'

/** A process that looks into one group of sequences after the other. */
explorer.serve(({ group, options }) => explore(group, options))
