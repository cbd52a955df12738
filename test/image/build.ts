import { existsSync } from 'node:fs';
import { cp, mkdir, realpath, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import manifest from '../../package.json' with { type: 'json' };
import { cacheFolder, once } from '../cluster/cache.ts';
import { debianPackages, programEnvironment } from '../cluster/debian.ts';
import { temporaryFolder } from '../cluster/guard.ts';
import { writeImage } from '../cluster/node/image.ts';
import { copyProgram } from '../cluster/node/images.ts';
import { run } from '../cluster/process.ts';

const ROOT = join(import.meta.dirname, '../..');

/** As deploy/ names it. */
export const OPERATOR_IMAGE = `truss-secrets:${manifest.version}`;

/** Why the image can't be built here; undefined: it can. */
export function cannotBuildImage(): string | undefined {
  if (process.getuid?.() !== 0) return 'building an image with chroot isolation needs root';
  return existsSync('/etc/debian_version') ? undefined : "needs Debian's buildah and busybox";
}

/**
 * Builds the Dockerfile with Debian's buildah, which needs no engine, on bases that are made here from the Node that
 * runs this; writes it to a Docker archive, which every node
 * can import under the name that deploy/ has. Packages come from the registry that npm is set to, and from its cache.
 */
export async function buildImage(archive: string): Promise<void> {
  const packages = await debianPackages(['buildah', 'busybox-static']);
  await using work = await temporaryFolder(join(cacheFolder(), 'image-build-'));
  const bases = await baseImages(packages);
  const policy = join(work.path, 'policy.json');
  await writeFile(policy, JSON.stringify({ default: [{ type: 'insecureAcceptAnything' }] }));
  const storage = [
    '--storage-driver',
    'vfs',
    '--root',
    join(work.path, 'root'),
    '--runroot',
    join(work.path, 'run'),
  ];
  const libraries = `usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`;
  // buildah starts itself again without LD_LIBRARY_PATH: its libraries have to be where the linker looks by itself
  const withLibraries = `mount -t overlay overlay -o lowerdir=${join(packages, libraries)}:/${libraries} /${libraries} && exec "$@"`;
  const buildah = (...args: readonly string[]): Promise<string> =>
    run(
      'unshare',
      ['--mount', 'sh', '-c', withLibraries, 'sh', join(packages, 'usr/bin/buildah'), ...storage, ...args],
      { env: programEnvironment(packages), cwd: ROOT },
    );
  const npmrc = join(homedir(), '.npmrc');
  const npmCache = (await run('npm', ['config', 'get', 'cache'])).trim();
  await mkdir(npmCache, { recursive: true });
  await buildah(
    'bud',
    '--isolation',
    'chroot',
    '--signature-policy',
    policy,
    '--timestamp',
    '0',
    '--layers=false',
    '--build-arg',
    `BUILD_IMAGE=oci-archive:${bases.build}`,
    '--build-arg',
    `BASE_IMAGE=oci-archive:${bases.run}`,
    '--volume',
    `${npmCache}:/root/.npm`,
    ...(existsSync(npmrc) ? ['--volume', `${npmrc}:/root/.npmrc:ro`] : []),
    '--tag',
    OPERATOR_IMAGE,
    '.',
  );
  await buildah(
    'push',
    '--signature-policy',
    policy,
    OPERATOR_IMAGE,
    `docker-archive:${archive}:docker.io/library/${OPERATOR_IMAGE}`,
  );
}

/** Archives of what the Dockerfile starts from: Node with npm and a shell to build on, Node alone to run on. */
async function baseImages(packages: string): Promise<{ readonly build: string; readonly run: string }> {
  const folder = join(cacheFolder(), `image-bases-${process.version}`);
  await once(folder, async (unfinished) => {
    await using bare = await temporaryFolder(`${unfinished}/run-`);
    await copyProgram(process.execPath, '/nodejs/bin/node', bare.path);
    await mkdir(join(bare.path, 'tmp'));
    const run_ = { name: 'truss.test/base:run', root: bare.path, entrypoint: ['/nodejs/bin/node'] };
    await writeImage(run_, join(unfinished, 'run.tar'));
    await using full = await temporaryFolder(`${unfinished}/build-`);
    await copyProgram(process.execPath, '/usr/bin/node', full.path);
    await addShell(packages, full.path);
    await addNpm(full.path);
    const build = { name: 'truss.test/base:build', root: full.path, entrypoint: [] };
    await writeImage(build, join(unfinished, 'build.tar'));
  });
  return { build: join(folder, 'build.tar'), run: join(folder, 'run.tar') };
}

async function addShell(packages: string, root: string): Promise<void> {
  for (const name of ['bin', 'tmp', 'root', 'etc']) await mkdir(join(root, name), { recursive: true });
  for (const name of ['busybox', 'sh', 'env'])
    await cp(join(packages, 'bin/busybox'), join(root, 'bin', name));
  await cp(join(root, 'bin/env'), join(root, 'usr/bin/env'));
  await writeFile(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
}

async function addNpm(root: string): Promise<void> {
  const program = await realpath((await run('sh', ['-c', 'command -v npm'])).trim());
  const lib = join(root, 'usr/lib/node_modules/npm');
  await mkdir(dirname(lib), { recursive: true });
  await cp(dirname(dirname(program)), lib, { recursive: true });
  const starter = '#!/bin/sh\nexec /usr/bin/node /usr/lib/node_modules/npm/bin/npm-cli.js "$@"\n';
  await writeFile(join(root, 'usr/bin/npm'), starter, { mode: 0o755 });
}

if (import.meta.main) {
  const [archive = ''] = process.argv.slice(2);
  await buildImage(archive);
}
