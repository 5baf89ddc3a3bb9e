// The health check of an image. Good: the service has been ready since it started, and answers. What it says of itself now is printed,
// which `docker inspect` then shows. Not /readyz: who supervises containers ends the unhealthy ones, and a master whose slave is
// gone, or a slave whose master is, must not be ended for that.
//
// Address and port may come from a file, a variable or an argument of the service: it says where it listens (httpAddressFile in container.conf).
const { readFileSync } = require('node:fs')
const { get } = require('node:http')

const file = process.argv[2] ?? '/var/lib/tandemmq/http-address'

function failed(failure) {
  process.stdout.write(`${failure.message}\n`)
  process.exitCode = 1
}

/** What is bound to every interface is asked on loopback. */
function listening() {
  const url = new URL(`http://${readFileSync(file, 'utf8').trim()}/startupz`)
  if (url.hostname === '0.0.0.0') url.hostname = '127.0.0.1'
  if (url.hostname === '[::]') url.hostname = '[::1]'
  return url
}

try {
  get(listening(), (answer) => {
    answer.pipe(process.stdout)
    answer.once('end', () => {
      process.exitCode = answer.statusCode === 200 ? 0 : 1
    })
  }).once('error', failed)
} catch (failure) {
  failed(failure)
}
