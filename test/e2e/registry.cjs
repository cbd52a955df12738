/**
 * A registry on the loopback of its node that asks for a password and has one image, model:1, whose only layer is
 * /image/layer.tar. It prints its port. See https://github.com/opencontainers/distribution-spec/blob/main/spec.md.
 *
 * `node -e "$(cat registry.cjs)" USER:PASSWORD`
 */
const { createHash } = require('node:crypto');
const { readFileSync } = require('node:fs');
const { createServer } = require('node:http');

const MEDIA = 'application/vnd.oci.image';
const EXPECTED = `Basic ${Buffer.from(process.argv.at(-1)).toString('base64')}`;

const contents = new Map();
function put(mediaType, bytes) {
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  contents.set(digest, { mediaType, bytes, digest });
  return { mediaType: `${MEDIA}.${mediaType}`, digest, size: bytes.length };
}
const putJson = (mediaType, value) => put(mediaType, Buffer.from(JSON.stringify(value)));

const layer = put('layer.v1.tar', readFileSync('/image/layer.tar'));
const config = putJson('config.v1+json', {
  architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
  os: 'linux',
  config: {},
  rootfs: { type: 'layers', diff_ids: [layer.digest] },
});
const manifest = putJson('manifest.v1+json', {
  schemaVersion: 2,
  mediaType: `${MEDIA}.manifest.v1+json`,
  config,
  layers: [layer],
});

const server = createServer((request, response) => {
  if (request.headers.authorization !== EXPECTED) {
    response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="registry"' }).end();
    return;
  }
  const { reference = '' } =
    /^\/v2\/model\/(?:manifests|blobs)\/(?<reference>[^/?]+)/.exec(request.url)?.groups ?? {};
  const found = contents.get(reference === '1' ? manifest.digest : reference);
  if (found === undefined) {
    response.writeHead(request.url === '/v2/' ? 200 : 404).end();
    return;
  }
  response.writeHead(200, {
    'Content-Type': `${MEDIA}.${found.mediaType}`,
    'Content-Length': found.bytes.length,
    'Docker-Content-Digest': found.digest,
  });
  response.end(request.method === 'HEAD' ? undefined : found.bytes);
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
