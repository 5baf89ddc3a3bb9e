import { lifeScript, reportLife } from './life-report.ts'

/** A process that lives one life after the other. */
lifeScript.serve((task) => reportLife(task))
