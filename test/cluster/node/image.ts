import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rename, stat, writeFile } from 'node:fs/promises';
import { arch } from 'node:os';
import { join } from 'node:path';
import { temporaryFolder } from '../guard.ts';
import { run } from '../process.ts';

export interface Image {
  /** With a tag: `local.test/thing:1`. */
  readonly name: string;
  /** Folder with the layout of the image's `/`; its files become root's. */
  readonly root: string;
  readonly entrypoint: readonly string[];
  readonly env?: readonly string[];
  /** `UID` or `UID:GID` */
  readonly user?: string;
}

const PLATFORM = { architecture: arch() === 'arm64' ? 'arm64' : 'amd64', os: 'linux' };

/**
 * Writes an image of one layer as an OCI archive, without any container tool.
 * See https://github.com/opencontainers/image-spec/blob/main/image-layout.md.
 */
export async function writeImage(image: Image, archive: string): Promise<void> {
  await using layout = await temporaryFolder(`${archive}.unfinished-`);
  const blobs = join(layout.path, 'blobs', 'sha256');
  await mkdir(blobs, { recursive: true });

  const unnamed = join(layout.path, 'layer');
  await run('tar', [...OWNED_BY_ROOT, '-C', image.root, '-cf', unnamed, '.']);
  const layer = { mediaType: `${MEDIA}.layer.v1.tar`, ...(await describe(unnamed)) };
  await rename(unnamed, join(blobs, hexOf(layer.digest)));

  const put = async (value: object): Promise<Described> => {
    const text = JSON.stringify(value);
    const digest = `sha256:${createHash('sha256').update(text).digest('hex')}`;
    await writeFile(join(blobs, hexOf(digest)), text);
    return { digest, size: Buffer.byteLength(text) };
  };
  const config = await put({
    ...PLATFORM,
    config: { Entrypoint: image.entrypoint, Env: [PATH, ...(image.env ?? [])], User: image.user ?? '' },
    rootfs: { type: 'layers', diff_ids: [layer.digest] },
  });
  const manifest = await put({
    schemaVersion: 2,
    mediaType: `${MEDIA}.manifest.v1+json`,
    config: { mediaType: `${MEDIA}.config.v1+json`, ...config },
    layers: [layer],
  });
  const annotations = { 'io.containerd.image.name': image.name };
  await writeFile(
    join(layout.path, 'index.json'),
    JSON.stringify({
      schemaVersion: 2,
      manifests: [{ mediaType: `${MEDIA}.manifest.v1+json`, ...manifest, platform: PLATFORM, annotations }],
    }),
  );
  await writeFile(join(layout.path, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  const finished = join(layout.path, 'archive');
  await run('tar', [
    ...OWNED_BY_ROOT,
    '-C',
    layout.path,
    '-cf',
    finished,
    'oci-layout',
    'index.json',
    'blobs',
  ]);
  await rename(finished, archive);
}

const MEDIA = 'application/vnd.oci.image';
const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const OWNED_BY_ROOT = ['--owner=0', '--group=0', '--numeric-owner', '--sort=name', '--mtime=@0'];

interface Described {
  readonly digest: string;
  readonly size: number;
}

async function describe(path: string): Promise<Described> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return { digest: `sha256:${hash.digest('hex')}`, size: (await stat(path)).size };
}

function hexOf(digest: string): string {
  return digest.slice('sha256:'.length);
}
