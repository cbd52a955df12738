import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { arch } from 'node:os';
import { basename, join } from 'node:path';
import { cacheFolder, lock, unfinishedFolder } from './cache.ts';
import { debianPackages, sourcePackage, unpackPackages } from './debian.ts';
import { CommandFailed, run } from './process.ts';
import { say, withHeartbeat } from './say.ts';

export type Component = 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler' | 'kubelet';

const RECIPE = join(import.meta.dirname, 'build.sh');

/**
 * Kubernetes built from Debian's source package, once; gives the folder with a file of each component's name.
 * Ask for all that a run needs in one call: components share most of what is compiled.
 */
export async function kubernetesBinaries(components: readonly Component[]): Promise<string> {
  const recipe = createHash('sha256').update(readFileSync(RECIPE)).digest('hex').slice(0, 8);
  const folder = join(cacheFolder(), `kubernetes-${recipe}-${arch()}`);
  const missing = () => components.filter((component) => !existsSync(join(folder, component)));
  if (missing().length === 0) return folder;
  await using _ = await lock(folder);
  const wanted = missing();
  if (wanted.length === 0) return folder;
  await using work = await unfinishedFolder(folder);
  await build(wanted, work.path);
  await mkdir(folder, { recursive: true });
  for (const component of wanted) await rename(join(work.path, 'out', component), join(folder, component));
  return folder;
}

/** Debian's etcd; gives the path of the program. */
export async function etcdBinary(): Promise<string> {
  return join(await debianPackages(['etcd-server']), 'usr/bin/etcd');
}

async function build(components: readonly Component[], work: string): Promise<void> {
  say(`building ${components.join(', ')} from Debian's source, once: 2 to 5 minutes on two cores`);
  const [tools, source] = [join(work, 'tools'), join(work, 'source')];
  await mkdir(tools, { recursive: true });
  await mkdir(source);
  say("fetching Debian's Go and the source of Kubernetes");
  await unpackPackages(['golang-1.19-go', 'golang-1.19-src', 'golang-github-modern-go-reflect2-dev'], tools);
  const tarball = (await sourcePackage('kubernetes', source)).find((file) => file.endsWith('.orig.tar.gz'));
  if (tarball === undefined)
    throw new CommandFailed('apt-get source kubernetes', 'brought no source tarball');

  const goroot = join(tools, 'usr/lib/go-1.19');
  const reflect2 = join(tools, 'usr/share/gocode/src/github.com/modern-go/reflect2');
  const progress = progressOf(basename(RECIPE));
  await withHeartbeat(progress.text, () =>
    run('nice', ['-n', '10', 'sh', RECIPE, tarball, reflect2, work, join(work, 'out'), ...components], {
      env: { ...process.env, HOME: work, GOROOT: goroot, PATH: `${goroot}/bin:${process.env['PATH'] ?? ''}` },
      onLine: progress.line,
    }),
  );
}

/** Reads what build.sh prints: "step TEXT", "total N", and an import path for each package that is compiled. */
function progressOf(name: string): { text: () => string; line: (line: string) => void } {
  let step = name;
  let total = 0;
  let compiled = 0;
  return {
    text: () => (total === 0 ? step : `${step}: ${compiled} of about ${total} packages`),
    line: (line) => {
      const [word, rest] = [line.split(' ', 1)[0], line.slice(line.indexOf(' ') + 1)];
      if (word === 'total') total = Number(rest);
      else if (word === 'step') say((step = rest));
      else if (line.includes('/') && !line.includes(' ')) compiled += 1;
    },
  };
}
