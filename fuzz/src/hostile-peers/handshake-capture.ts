import { HandshakeReader, decodeHello, type HandshakeMessage, type ReceivedHello } from '@tandemmq/codec'

/** Reads the handshake messages that the end under test writes, so that a script can answer them as an honest peer would. */
export class HandshakeCapture {
  readonly messages: HandshakeMessage[] = []
  #reader: HandshakeReader | undefined = new HandshakeReader()

  write(bytes: Buffer): void {
    if (this.#reader === undefined || this.messages.length > 3) return
    try {
      const taken = this.#reader.push(bytes)
      if (taken === undefined) return
      this.messages.push(taken.message)
      this.#reader = new HandshakeReader()
    } catch {
      // The handshake is over: reports and frames follow.
      this.#reader = undefined
    }
  }

  get hello(): ReceivedHello | undefined {
    const message = this.messages.find(({ kind }) => kind.endsWith('hello'))
    return message && decodeHello(message.body)
  }
}
