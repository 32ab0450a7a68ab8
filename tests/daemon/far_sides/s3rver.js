// s3rver (npm) on loopback with a bucket in a folder: node s3rver.js PACKAGES FOLDER BUCKET
// Prints its port.
const path = require('node:path')

async function run(packages, folder, bucket) {
  const S3rver = require(path.join(packages, 'node_modules', 's3rver'))
  const server = new S3rver({
    port: 0, address: '127.0.0.1', silent: true, directory: folder, configureBuckets: [{ name: bucket }],
  })
  const { port } = await server.run()
  console.log(port)
}

run(process.argv[2], process.argv[3], process.argv[4])
