import type { Producer, PushConsumer, SimpleConsumer } from 'rocketmq-client-nodejs'

/**
 * A client that is shut down half-closes its telemetry stream and takes all listeners off it: if the server goes before it has answered that,
 * the stream's error has no listener and ends the process. Tests stop servers right after clients, so such an error finds a listener here.
 */
export function bearLastStream<Client extends Producer | SimpleConsumer | PushConsumer>(
  client: Client,
): Client {
  const create = client.createTelemetryStream.bind(client)
  client.createTelemetryStream = (endpoints) => {
    const stream = create(endpoints)
    const strip = stream.removeAllListeners.bind(stream)
    stream.removeAllListeners = (event) => {
      // An argument that is undefined would name an event.
      if (event === undefined) strip()
      else strip(event)
      return stream.on('error', () => undefined)
    }
    return stream
  }
  return client
}
