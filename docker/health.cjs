// The health check of an image. Good: the service has been ready since it started, and answers. What it says of itself now is printed,
// which `docker inspect` then shows. Not /readyz: who supervises containers ends the unhealthy ones, and a master whose slave is
// gone, or a slave whose master is, must not be ended for that.
const { get } = require('node:http')

get({ host: '127.0.0.1', port: process.env.TANDEMMQ_HTTP_PORT ?? 8080, path: '/startupz' }, (answer) => {
  answer.pipe(process.stdout)
  answer.once('end', () => {
    process.exitCode = answer.statusCode === 200 ? 0 : 1
  })
}).once('error', (failure) => {
  process.stdout.write(`${failure.message}\n`)
  process.exitCode = 1
})
