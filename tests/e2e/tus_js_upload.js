// Uploads a file with tus-js-client: node tus_js_upload.js PACKAGE ENDPOINT TOKEN FILE SHA256 CHUNK. Tries as often as it
// takes, from where the server says that it stands.
const fs = require("fs");
const [, , packageFolder, endpoint, token, path, sha256, chunk] = process.argv;
const tus = require(packageFolder);

const upload = new tus.Upload(fs.createReadStream(path), {
  endpoint,
  headers: { Authorization: `Bearer ${token}` },
  metadata: { filename: "scan.pdf", sha256 },
  uploadSize: fs.statSync(path).size,
  chunkSize: Number(chunk),
  retryDelays: Array(500).fill(5),
  onError: (error) => {
    console.error(String(error));
    process.exit(1);
  },
  onSuccess: () => process.exit(0),
});
upload.start();
