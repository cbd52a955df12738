/**
 * node build.ts [FOLDER]
 *
 * Makes what ships, in `dist/` or another folder: the command line as one bundle that needs nothing but Node, and the
 * package.json to publish it with. See docs/decisions/0004-what-ships.md.
 */
import { copyFile, cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build, type Metafile } from 'esbuild';
import manifest from './package.json' with { type: 'json' };

const OUT = process.argv[2] ?? 'dist';
const MAIN = 'main.js';

/** Dependencies that are CommonJS call `require` for Node's own modules; an ES module has none. */
const REQUIRE = `import { createRequire as createRequireOfNode } from 'node:module';
const require = createRequireOfNode(import.meta.url);`;

await rm(OUT, { recursive: true, force: true });
await mkdir(OUT);
const { metafile } = await build({
  entryPoints: { main: 'src/main.ts' },
  outdir: OUT,
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  // What is imported with import() stays apart, so that a command loads only what it needs.
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  // Identifiers stay, for readable stacks: shorter ones make no start faster (measured).
  minifyWhitespace: true,
  minifySyntax: true,
  banner: { js: REQUIRE },
  legalComments: 'none',
  metafile: true,
});

const { name, version, description, license, type, engines } = manifest;
await writeFile(
  join(OUT, 'package.json'),
  `${JSON.stringify(
    {
      name,
      version,
      description,
      license,
      type,
      engines,
      bin: { 'truss-secrets': MAIN, 'kubectl-truss_secrets': MAIN },
    },
    null,
    2,
  )}\n`,
);
// The demo applies them.
await cp('examples/gfpgan', join(OUT, 'examples/gfpgan'), { recursive: true });
await writeFile(join(OUT, 'THIRD-PARTY-LICENSES.txt'), await licensesOf(metafile));
for (const file of ['README.md', 'LICENSE']) {
  await copyFile(file, join(OUT, file)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}

/** The licences of the packages in the bundle, which want to go with the code. */
async function licensesOf({ inputs }: Metafile): Promise<string> {
  const packages = new Set(
    Object.keys(inputs).flatMap((path) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []),
  );
  const texts: string[] = [];
  for (const folder of [...packages].toSorted()) {
    const own = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
    const files = (await readdir(folder)).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file));
    const bodies = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
    texts.push(`${own.name} ${own.version} (${own.license})\n\n${bodies.join('\n')}`);
  }
  return texts.join(`\n${'-'.repeat(80)}\n\n`);
}
