import { readStateFile, replaceStateFile, type Files } from '@tandemmq/base'
import { CheckedFields, decodeChecked, encodeChecked } from '@tandemmq/codec'
import { decodeAppointment, type Appointment } from '@tandemmq/registry'

const TITLE = 'TandemMQ appointment 1'

/** The last appointment that this broker has obeyed; absent: its role is the configured one. Throws `STATE_FILE_CORRUPT`: then nobody knows its role. */
export function readAppointment(files: Files, root: string): Appointment | undefined {
  return readStateFile(files, pathIn(root), decode)?.value
}

/** Durable when it resolves. */
export async function writeAppointment(files: Files, root: string, appointment: Appointment): Promise<void> {
  files.makeDirectory(root)
  await replaceStateFile(files, pathIn(root), encodeChecked(TITLE, appointment))
}

function pathIn(root: string): string {
  return `${root}/appointment`
}

function decode(content: Buffer): Appointment {
  return decodeAppointment(new CheckedFields(TITLE, decodeChecked(TITLE, content)))
}
