export type { HttpRequest, HttpRoutes } from './app.ts'
export { startHttpServer, type HttpServer, type HttpServerOptions } from './server.ts'
export type { HttpParts } from './http-parts.ts'
