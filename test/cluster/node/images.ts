import { cp, mkdir, symlink } from 'node:fs/promises';
import { arch } from 'node:os';
import { dirname, join } from 'node:path';
import { cacheFolder, once } from '../cache.ts';
import { temporaryFolder } from '../guard.ts';
import { run } from '../process.ts';
import { writeImage } from './image.ts';

/** A shell with the usual tools (sh, cat, sleep, wget, httpd). */
export const BUSYBOX_IMAGE = 'truss.test/busybox:1';
/** The Node that runs this, with busybox. */
export const NODE_IMAGE = 'truss.test/node:1';
/** What containerd runs to hold a pod's namespaces. */
export const PAUSE_IMAGE = 'truss.test/pause:1';

/** Archives of the images that a node starts with, made once, with no registry. */
export async function nodeImages(packages: string): Promise<readonly string[]> {
  const folder = join(cacheFolder(), `images-${process.version}-${arch()}`);
  await once(folder, async (unfinished) => {
    await using root = await temporaryFolder(`${unfinished}/root-`);
    const write = (name: string, entrypoint: readonly string[], archive: string) =>
      writeImage({ name, root: root.path, entrypoint }, join(unfinished, archive));
    await busyboxRoot(packages, root.path);
    await write(PAUSE_IMAGE, ['/bin/sleep', '2147483647'], 'pause.tar');
    await write(BUSYBOX_IMAGE, ['/bin/sh'], 'busybox.tar');
    await copyProgram(process.execPath, '/usr/bin/node', root.path);
    await write(NODE_IMAGE, ['/usr/bin/node'], 'node.tar');
  });
  return ['pause.tar', 'busybox.tar', 'node.tar'].map((name) => join(folder, name));
}

async function busyboxRoot(packages: string, root: string): Promise<void> {
  const program = join(packages, 'bin', 'busybox');
  for (const name of ['bin', 'etc', 'tmp', 'usr/bin', 'var'])
    await mkdir(join(root, name), { recursive: true });
  await cp(program, join(root, 'bin', 'busybox'));
  const names = (await run(program, ['--list'])).split('\n').filter((name) => name !== 'busybox');
  for (const name of names) await symlink('busybox', join(root, 'bin', name));
}

/** Copies a program into an image's root, with the libraries that the dynamic linker names for it. */
export async function copyProgram(program: string, path: string, root: string): Promise<void> {
  await mkdir(join(root, dirname(path)), { recursive: true });
  await cp(program, join(root, path));
  const libraries = (await run('ldd', [program])).matchAll(/(?:=>\s+|^\s+)(?<path>\/\S+) \(0x/gm);
  for (const { groups } of libraries) {
    const library = groups?.['path'] ?? '';
    await mkdir(join(root, dirname(library)), { recursive: true });
    await cp(library, join(root, library), { dereference: true });
  }
}
