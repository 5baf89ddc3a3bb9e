import { createHash, timingSafeEqual } from 'node:crypto'
import type { HttpRequest, HttpRoutes } from './app.ts'

/** Everything below it asks for `Authorization: Bearer <token>`. */
export function demandToken(api: HttpRoutes, token: string): void {
  api.addHook('onRequest', async (request, reply) => {
    if (!carries(request, token)) {
      await reply
        .code(401)
        .send({ error: 'UNAUTHORIZED', message: 'send the admin token as "Authorization: Bearer …"' })
    }
  })
}

/** Compares digests, so that neither the time nor the length of the token leaks. */
function carries(request: HttpRequest, token: string): boolean {
  return timingSafeEqual(digest(request.headers.authorization ?? ''), digest(`Bearer ${token}`))
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
