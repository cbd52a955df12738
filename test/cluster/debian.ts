import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { arch } from 'node:os';
import { basename, join } from 'node:path';
import { cacheFolder, lock, once, unfinishedFolder } from './cache.ts';
import { debianSources } from './debian-sources.ts';
import { run } from './process.ts';
import { say } from './say.ts';

const ONE_HOUR_MS = 3_600_000;

export class PackagesUnavailable extends Error {
  override readonly name = 'PackagesUnavailable';
}

/** The release of Debian that this is (`bookworm`), or undefined elsewhere. */
export function debianRelease(): string | undefined {
  if (!existsSync('/etc/os-release')) return undefined;
  const text = readFileSync('/etc/os-release', 'utf8');
  const field = (name: string) => new RegExp(`^${name}="?([^"\n]*)"?$`, 'm').exec(text)?.[1];
  return field('ID') === 'debian' ? field('VERSION_CODENAME') : undefined;
}

/**
 * Debian packages, with what they depend on and this machine lacks, unpacked into a folder of the cache: nothing is
 * installed, no root is needed, and apt verifies every file. Gives the folder, which has the layout of `/`.
 * Throws {@link PackagesUnavailable} where there is no Debian or no such package.
 */
export async function debianPackages(names: readonly string[]): Promise<string> {
  const folder = join(cacheFolder(), 'debian', `${release()}-${arch()}`, names.toSorted().join('+'));
  return await once(folder, async (unfinished) => {
    say(`unpacking Debian's ${names.join(', ')}`);
    await unpackPackages(names, unfinished);
  });
}

/** What a program of {@link debianPackages} needs to find its programs and libraries in `folder`. */
export function programEnvironment(folder: string): NodeJS.ProcessEnv {
  const below = (...paths: readonly string[]) => paths.map((path) => join(folder, path)).join(':');
  const triplet = `${arch() === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`;
  return {
    ...process.env,
    PATH: `${below('usr/sbin', 'usr/bin', 'sbin', 'bin')}:/usr/sbin:/usr/bin:/sbin:/bin`,
    LD_LIBRARY_PATH: below(`usr/lib/${triplet}`, `lib/${triplet}`, 'usr/lib'),
    PYTHONPATH: below('usr/lib/python3/dist-packages'),
  };
}

/** Like {@link debianPackages}, into a folder of the caller's. */
export async function unpackPackages(names: readonly string[], folder: string): Promise<void> {
  await withApt(async (apt, archives) => {
    await apt(['install', '--yes', '--reinstall', '--download-only', ...names]);
    for (const file of await readdir(archives)) {
      if (file.endsWith('.deb')) await run('dpkg-deb', ['--extract', join(archives, file), folder]);
    }
  });
}

/** The files of a source package, as apt verified them, in `folder`. */
export async function sourcePackage(name: string, folder: string): Promise<readonly string[]> {
  await withApt(async (apt) => {
    await apt(['source', '--download-only', name], folder);
  });
  return (await readdir(folder)).map((file) => join(folder, file));
}

type Apt = (args: readonly string[], cwd?: string) => Promise<string>;

/** apt with state of its own: the lists are kept in the cache, the downloaded packages only while `use` runs. */
async function withApt(use: (apt: Apt, archives: string) => Promise<void>): Promise<void> {
  const state = join(cacheFolder(), 'apt', release());
  await using _ = await lock(state);
  await mkdir(join(state, 'lists', 'partial'), { recursive: true });
  await using scratch = await unfinishedFolder(join(state, 'archives'));
  try {
    await mkdir(join(scratch.path, 'partial'));
    await writeFile(join(state, 'debian.sources'), machineSources());
    await writeFile(join(state, 'apt.conf'), configuration(state, scratch.path));
    const apt: Apt = (args, cwd) =>
      run('apt-get', ['-c', join(state, 'apt.conf'), ...args], {
        env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
        ...(cwd === undefined ? {} : { cwd }),
      });
    await refreshLists(apt, join(state, 'refreshed'));
    await use(apt, scratch.path);
  } catch (error) {
    throw new PackagesUnavailable(`Debian's packages can't be had: ${String(error)}`, { cause: error });
  }
}

async function refreshLists(apt: Apt, stamp: string): Promise<void> {
  if (existsSync(stamp) && Date.now() - statSync(stamp).mtimeMs < ONE_HOUR_MS) return;
  say("reading Debian's package lists");
  await apt(['update', '--error-on=any']);
  await writeFile(stamp, '');
}

/** The machine's own settings (a proxy, say) hold; hooks that its packages added to `apt-get update` do not run. */
function configuration(state: string, archives: string): string {
  return [
    '#clear APT::Update::Pre-Invoke;',
    '#clear APT::Update::Post-Invoke;',
    '#clear APT::Update::Post-Invoke-Success;',
    `Dir::State "${state}";`,
    `Dir::State::Lists "${join(state, 'lists')}";`,
    'Dir::State::status "/var/lib/dpkg/status";',
    `Dir::Cache "${state}";`,
    `Dir::Cache::Archives "${archives}";`,
    `Dir::Etc::SourceList "${join(state, 'debian.sources')}";`,
    'Dir::Etc::SourceParts "/dev/null";',
    'Acquire::Languages "none";',
    'APT::Install-Recommends "false";',
    'APT::Sandbox::User "";',
    'Debug::NoLocking "true";',
    '',
  ].join('\n');
}

function release(): string {
  const codename = debianRelease();
  if (codename === undefined) throw new PackagesUnavailable('This machine is not Debian.');
  return codename;
}

function machineSources(): string {
  const parts = '/etc/apt/sources.list.d';
  const files = existsSync(parts) ? readdirSync(parts).map((name) => join(parts, name)) : [];
  const readable = ['/etc/apt/sources.list', ...files].filter(
    (path) => existsSync(path) && /\.(?:list|sources)$/.test(path),
  );
  const sources = debianSources(
    readable.map((path) => ({ name: basename(path), text: readFileSync(path, 'utf8') })),
    release(),
  );
  if (sources === '') {
    throw new PackagesUnavailable(`/etc/apt names no source of Debian's ${release()} main packages.`);
  }
  return sources;
}
