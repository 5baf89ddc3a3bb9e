const FILL_MAX = 1_500

/** The body of the message of that number: everything in it follows from the number, so that whoever finds it can tell whether it is as it was sent. */
export function bodyOf(number: number): Buffer {
  return Buffer.from(`${number} `.padEnd(10 + ((number * 7919) % FILL_MAX), String(number)))
}

/** The number of a message; `undefined` if its body is not as it was sent. */
export function numberOf(body: Buffer): number | undefined {
  const number = Number(body.toString('latin1', 0, Math.max(0, body.indexOf(' '))))
  return Number.isSafeInteger(number) && number > 0 && body.equals(bodyOf(number)) ? number : undefined
}
