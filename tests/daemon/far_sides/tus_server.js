// A tus server of @tus/server on loopback that keeps uploads in a folder: node tus_server.js PACKAGES FOLDER
// Prints its port.
const path = require('node:path')
const { pathToFileURL } = require('node:url')

async function load(packages, name) {
  const folder = path.join(packages, 'node_modules', ...name.split('/'))
  const { main, exports: given } = require(path.join(folder, 'package.json'))
  const entry = main ?? given['.']?.default ?? given['.'] ?? given
  return import(pathToFileURL(path.join(folder, typeof entry === 'string' ? entry : entry.default)))
}

async function run(packages, folder) {
  const { Server } = await load(packages, '@tus/server')
  const { FileStore } = await load(packages, '@tus/file-store')
  const server = new Server({ path: '/files', datastore: new FileStore({ directory: folder }) })
  const http = server.listen({ host: '127.0.0.1', port: 0 })
  http.on('listening', () => console.log(http.address().port))
}

run(process.argv[2], process.argv[3])
