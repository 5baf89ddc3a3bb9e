// The health check of an image: what the service says of itself, which `docker inspect` then shows; good when it is ready.
const { get } = require('node:http')

get({ host: '127.0.0.1', port: process.env.TANDEMMQ_HTTP_PORT ?? 8080, path: '/readyz' }, (answer) => {
  answer.pipe(process.stdout)
  answer.once('end', () => {
    process.exitCode = answer.statusCode === 200 ? 0 : 1
  })
}).once('error', (failure) => {
  process.stdout.write(`${failure.message}\n`)
  process.exitCode = 1
})
